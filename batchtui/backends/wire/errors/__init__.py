"""Errors in the forms that servers give them, put into the one that is judged."""
