"""Kind `gemini`: Gemini's batches."""
