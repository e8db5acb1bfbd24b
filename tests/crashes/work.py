"""What the local jobs of the laboratory do: say that they ran, and take a moment."""

from __future__ import annotations

import os
import time


def note(name: str, runs: str) -> str:
    """Add a line to the file `runs`."""
    fd = os.open(runs, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(fd, f"{name}\n".encode())
    os.close(fd)
    time.sleep(0.02)
    return f"{name} was done"
