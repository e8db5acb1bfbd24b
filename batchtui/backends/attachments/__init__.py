"""Files that jobs bring: what is taken, and how it is sent."""
