"""Anthropic's message batches, and its messages."""
