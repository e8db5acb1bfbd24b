"""What the kinds share whose jobs are prompts to a model."""
