"""Whether the numbers in a batch from elsewhere fit its own size, before anything is made as large as they say."""

from __future__ import annotations

import json
import re
from pathlib import Path

from batchtui.errors import BadInput
from batchtui.model import Json
from batchtui.store.bundles.manifest import HEADER, JOBS, JOURNAL
from batchtui.store.disk.lines import read_slices
from batchtui.text import cell

_RANGES = re.compile(r"\d{1,12}(-\d{1,12})?(,\d{1,12}(-\d{1,12})?)*", re.ASCII)
_OF_JOBS = ("jobs", "retried")
"""Keys that hold ranges of jobs, in an event and in what it restores."""


def check_bounds(place: Path) -> None:
    """Raises BadInput, without the bundle's name."""
    jobs = sum(len(lines) for _, lines in read_slices(place / JOBS)) - 1
    header = _json((place / HEADER).read_bytes(), HEADER)
    if not isinstance(header, dict):
        raise BadInput(f"{HEADER} makes no sense")
    _check_total(header.get("total"), jobs, HEADER)
    for _, lines in read_slices(place / JOURNAL):
        for line in lines:
            event = _json(line, JOURNAL)
            if isinstance(event, dict):
                _check_event(event, jobs)


def _check_event(event: dict[str, Json], jobs: int) -> None:
    columns, changed = event.get("columns"), event.get("set")
    for part in (event, columns, changed):
        if isinstance(part, dict) and "total" in part:
            _check_total(part["total"], jobs, JOURNAL)
    _check_ranges(event, jobs)
    if isinstance(columns, dict) and isinstance(submissions := columns.get("submissions"), list):
        for submission in submissions:
            if isinstance(submission, dict):
                _check_ranges(submission, jobs)


def _check_ranges(part: dict[str, Json], jobs: int) -> None:
    for key in _OF_JOBS:
        text = part.get(key)
        if not isinstance(text, str) or not text:
            continue
        if not _RANGES.fullmatch(text) or any(int(one) >= jobs for one in re.split("[-,]", text)):
            raise BadInput(f"{JOURNAL} speaks of jobs {cell(text, 60)}, and there are {jobs:,}")


def _check_total(total: Json, jobs: int, name: str) -> None:
    if type(total) is not int or not 0 <= total <= jobs:
        raise BadInput(f"{name} speaks of {cell(total, 40)} jobs, and there are {jobs:,}")


def _json(data: bytes, name: str) -> Json:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as fault:
        raise BadInput(f"{name} cannot be read ({cell(fault, 100)})") from None
