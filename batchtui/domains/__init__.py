"""Fields of work, one folder each in the shape of a package of somebody else: the rest knows them by their cards alone."""
