"""Citations in one shape, and what they bear out."""
