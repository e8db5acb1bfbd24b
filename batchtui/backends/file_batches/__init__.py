"""What the kinds share whose batches are files of JSON Lines."""
