"""Kind `gat`: a gat binary that the user installed."""
