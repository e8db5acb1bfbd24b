"""Grids as tables, read from their files."""
