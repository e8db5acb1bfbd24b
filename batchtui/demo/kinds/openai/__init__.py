"""OpenAI's batches, and what other kinds take over of its protocol."""
