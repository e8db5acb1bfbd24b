"""What a kind may say of the keys of its `[job]` that reach beyond words, for whoever is asked before they are obeyed."""

from __future__ import annotations

from enum import StrEnum


class PathUse(StrEnum):
    """What is done where a path leads, in words to show."""

    READS = "reads files in"
    RUNS = "runs programs in"
    WRITES = "writes files in"
    UPLOADS = "uploads files"
    """They are read, and go to the backend with the job."""
