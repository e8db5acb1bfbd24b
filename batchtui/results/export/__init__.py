"""Results to a file."""
