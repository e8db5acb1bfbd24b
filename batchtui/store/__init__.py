"""Plain JSON on disk: one folder a batch."""
