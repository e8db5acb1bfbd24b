"""Commands that show batches and what came back."""
