"""Power flow and contingencies."""
