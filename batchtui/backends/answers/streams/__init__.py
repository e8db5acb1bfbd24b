"""Replies that came in pieces although one whole was asked for, put together again."""
