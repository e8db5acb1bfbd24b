"""A grid made ready for solvers."""
