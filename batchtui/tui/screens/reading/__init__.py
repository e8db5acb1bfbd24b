"""Screens that show results: one job's, and tables and pictures over many."""
