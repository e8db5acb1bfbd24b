"""The configuration added to, and shown with where each value is from."""
