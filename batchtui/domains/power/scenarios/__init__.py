"""Scenarios of a grid, read and checked. Standard library only."""
