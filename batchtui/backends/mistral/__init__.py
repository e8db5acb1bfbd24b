"""Kind `mistral`."""
