"""Kind `openai`: OpenAI's batches, and servers that speak like it."""
