"""What runs on our own cores."""
