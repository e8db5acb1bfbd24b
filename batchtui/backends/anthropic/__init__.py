"""Kind `anthropic`: Anthropic's Message Batches."""
