"""What a batch from elsewhere would do, and whether this user agreed to it."""
