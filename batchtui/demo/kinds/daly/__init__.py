"""Daly's energy API."""
