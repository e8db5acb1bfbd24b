"""A batch in one file, to be taken to another machine: a zip with a manifest, the batch's files and those its jobs bring."""
