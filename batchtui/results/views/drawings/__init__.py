"""Pictures as text of a terminal."""
