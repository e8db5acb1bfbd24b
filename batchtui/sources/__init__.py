"""What users bring: files to rows, rows into templates."""
