"""What a run of `gat batch` left: its batch_manifest.json, and what its words mean.

Its exit code says nothing: it is 0 when every job failed, and when the command itself did. The manifest is written
once, at the very end, so there is none where the run was cut short.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from batchtui.model import Json
from batchtui.text import cell

MANIFEST: Final = "batch_manifest.json"
_MOST_BYTES = 64_000_000
_ERROR_CHARACTERS = 300

_KINDS: Final = (
    ("arrow network directory not found", "missing_file", ""),
    ("manifest.json not found", "missing_file", "the grid folder has no manifest.json"),
    ("checking schema compatibility", "bad_input", "the grid's schema version is not one this gat reads"),
    ("validating file checksums", "bad_input", "a table of the grid folder does not match its checksum"),
    ("building branch flow table", "islanded", "the matrix is singular: most likely a part is cut off"),
    ("branch limits violated", "infeasible", "gat checks limits after its dispatch and does not redispatch"),
    ("cost and limits files are required", "bad_input", "set cost_file and limits_file of the backend"),
    ("infeasible", "infeasible", ""),
)
"""How gat's error texts begin or what they hold (lower case), the kind they stand for, and what they mean."""
_PASSING: Final = (
    "no space left",
    "too many open files",
    "resource temporarily unavailable",
    "cannot allocate memory",
    "writing ",
    "creating ",
    "copying ",
)
"""Words of the machine's own troubles, which another try may not meet."""


@dataclass(frozen=True, slots=True)
class GatFault:
    """Why a scenario has no result. `passing`: another try may go well."""

    kind: str
    message: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class GatAnswer:
    """gat's word on one scenario. `fault` is None where it is ok."""

    scenario_id: str
    fault: GatFault | None
    duration_ms: float | None = None


def read_answers(out: Path, *, task: str, since_ns: int) -> dict[str, GatAnswer] | None:
    """By scenario id; None where no manifest of this run is there. Raises ValueError for one that cannot be read.

    `since_ns`: time of a file that was written on the same file system before the run began.
    """
    path = out / MANIFEST
    try:
        stat = path.stat()
    except OSError:
        return None
    if stat.st_mtime_ns < since_ns:
        return None
    if stat.st_size > _MOST_BYTES:
        raise ValueError(f"{MANIFEST} is too large ({stat.st_size:,} bytes)")
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as fault:
        raise ValueError(f"{MANIFEST} cannot be read ({cell(str(fault), 120)})") from None
    jobs = found.get("jobs") if isinstance(found, dict) else None
    if not isinstance(jobs, list):
        raise ValueError(f"{MANIFEST} lists no jobs")
    if found.get("task") != task:
        raise ValueError(f"{MANIFEST} is of task {cell(str(found.get('task')), 40)}, not {task}")
    answers = (_answer(job) for job in jobs if isinstance(job, dict))
    return {answer.scenario_id: answer for answer in answers}


def _answer(job: dict[str, Json]) -> GatAnswer:
    duration = job.get("duration_ms")
    return GatAnswer(
        str(job.get("scenario_id")),
        None if job.get("status") == "ok" else fault_of(job.get("error")),
        float(duration) if isinstance(duration, int | float) else None,
    )


def fault_of(error: Json) -> GatFault:
    """What an error text of gat means; one that is not known is final, under kind `gat`."""
    text = cell(str(error or "gat names no reason"), _ERROR_CHARACTERS)
    lower = text.lower()
    for words, kind, meaning in _KINDS:
        if words in lower:
            return GatFault(kind, f"gat: {text}" + (f" ({meaning})" if meaning else ""))
    if any(words in lower for words in _PASSING):
        return GatFault("output", f"gat: {text}", passing=True)
    return GatFault("gat", f"gat: {text}")
