"""Rows of JSON documents and lines, and JSON in cells."""
