"""pandapower's JSON: converted once, in a process of its own, and kept in the user's cache by the file's hash."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from filelock import FileLock
from platformdirs import user_cache_path

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.beyond import beyond_of
from batchtui.domains.power.grids.case import Case, checked
from batchtui.model import Json
from batchtui.text import cell

_FORM: Final = 3
"""Goes into the name of what is kept: raised when the conversion changes."""
_LONGEST: Final = 600.0
"""Seconds that a conversion may take."""


def read_pandapower(path: str | Path) -> Case:
    """The grid of the file. Raises Fault; bad_input where MATPOWER's tables cannot hold it."""
    data = Path(path).read_bytes()
    if find_spec("pandapower") is None:
        message = "a pandapower grid needs pandapower: pip install 'batchtui[pandapower]'"
        raise Fault("missing_extra", message, path)
    name = f"{_FORM}:{metadata.version('pandapower')}:".encode()
    kept = cache_folder() / f"pandapower-{hashlib.sha256(name + data).hexdigest()[:40]}.json"
    try:
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(f"{kept}.lock"):  # workers that start together convert it once
            found = _load(kept) or _converted(path, kept)
    except OSError as fault:
        raise Fault("bad_input", f"cannot be converted in {kept.parent} ({fault.strerror})", path) from None
    if "fault" in found:
        kind, message = found["fault"]
        raise Fault(kind, message, path)
    tables = {table: found[table] for table in ("bus", "gen", "branch", "gencost")}
    case = checked(tables, found["baseMVA"], path)
    case.beyond = beyond_of(found["beyond"], len(case.bus), len(case.branch), path)
    case.notes += found["notes"]
    return case


def cache_folder() -> Path:
    """Where converted grids are kept; it may be emptied at any time."""
    return user_cache_path("batchtui") / "grids"


def _load(kept: Path) -> dict[str, Json] | None:
    try:
        found = json.loads(kept.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "bus" in found else None


def _converted(path: str | Path, kept: Path) -> dict[str, Json]:
    """Convert the file and keep its tables. Raises OSError."""
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".converting-") as folder:
        target = Path(folder, "case.json")
        command = [
            sys.executable,
            "-m",
            "batchtui.domains.power.readers.convert_pandapower",
            str(path),
            str(target),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_LONGEST, check=False)
        except subprocess.TimeoutExpired:
            return {"fault": ["bad_input", f"pandapower took longer than {_LONGEST:g} s to convert it"]}
        found = _load(target) or _fault(target)
        if found is None:
            words = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            return {
                "fault": ["bad_input", f"pandapower ended with exit {done.returncode}: {cell(words, 160)}"]
            }
        if "fault" not in found:
            os.replace(target, kept)
        return found


def _fault(target: Path) -> dict[str, Json] | None:
    try:
        found = json.loads(target.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "fault" in found else None
