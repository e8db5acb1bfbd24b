"""What keys do: the table of all actions, and what more than one screen does."""
