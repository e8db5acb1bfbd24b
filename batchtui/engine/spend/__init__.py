"""What batches may cost, what they reserve and what they spent."""
