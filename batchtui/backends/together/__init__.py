"""Kind `together`."""
