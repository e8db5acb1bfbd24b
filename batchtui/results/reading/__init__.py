"""Results found, filtered and summed up."""
