"""Commands that change a batch that is there."""
