"""Answers judged by a JSON Schema."""
