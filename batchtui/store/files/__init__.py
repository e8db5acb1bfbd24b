"""One file of the disk a module."""
