"""Gemini's batches, in both versions of its API."""
