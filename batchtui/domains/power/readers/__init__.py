"""Grid files, one format a file, as the tables of a case."""
