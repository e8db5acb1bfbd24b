"""One terminal for every batch."""

__version__ = "0.1.0"
