"""Commands by which there is a new batch, here or on another machine."""
