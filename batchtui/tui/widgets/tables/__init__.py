"""Tables whose cost is what is seen."""
