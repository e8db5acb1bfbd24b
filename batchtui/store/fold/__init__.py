"""What the journal of a batch comes to: states, counts, costs."""
