"""Where jobs go: one file a kind, all of one shape."""
