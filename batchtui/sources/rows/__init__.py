"""Which rows become jobs, and what deserves a word about them."""
