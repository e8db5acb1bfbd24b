"""What ended submissions gave, brought home and joined to its jobs."""
