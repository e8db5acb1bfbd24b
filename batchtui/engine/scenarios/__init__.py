"""What the engine does for batches of scenarios beside running them."""
