"""Rows of tables: CSV, Parquet, sheets."""
