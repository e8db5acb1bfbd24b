"""Buttermilk's batch API."""
