"""Whether what is stored is sound and ours, and how it is mended."""
