"""Python calls in warm worker processes."""
