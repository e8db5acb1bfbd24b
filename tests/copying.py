"""A copy of a store as `cp -r` makes it while somebody drives that store."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path


def copy_live(source: Path, target: Path) -> None:
    """What is gone before its turn comes (a file in the making, a part of a download) is not in the copy."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(".*.json.*"), copy_function=_copied)


def _copied(source: str, target: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.copy2(source, target)
