"""Requests to a model in the forms that users bring: OpenAI's chat form is the one that the others are turned from."""
