"""Runs the element that Slurm's variables name."""

from __future__ import annotations

import os
import sys

from .element import Element, heed_signals
from .files import claim, say


def main() -> int:
    folder, array = sys.argv[1], os.environ["SLURM_ARRAY_JOB_ID"]
    heed_signals()
    if not claim(folder, array):
        say(f"array {array} does nothing: another array runs these tasks")
        return 0
    restart = int(os.environ.get("SLURM_RESTART_COUNT") or 0)
    Element(folder, int(os.environ["SLURM_ARRAY_TASK_ID"]), restart).go()
    return 0


if __name__ == "__main__":
    sys.exit(main())
