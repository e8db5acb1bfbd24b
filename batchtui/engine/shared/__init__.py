"""What all batches of a process share, and what every step takes from."""
