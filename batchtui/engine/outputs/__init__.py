"""What is written to `[output] dir` when a batch has ended, and what backends said word for word."""
