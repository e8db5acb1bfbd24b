"""What happened, as rows of a log."""
