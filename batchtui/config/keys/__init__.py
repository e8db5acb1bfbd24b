"""Keys: named in the configuration, fetched when needed, never held."""
