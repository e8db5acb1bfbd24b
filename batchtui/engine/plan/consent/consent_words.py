"""What a batch from elsewhere does beyond its words, in the lines that a person is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from batchtui.backends.uses import PathUse
from batchtui.model import Json
from batchtui.preflight import Consent
from batchtui.text import cell, clean

PLACES_SHOWN = 20
RUNS_SHOWN = 50
_DONE = {"command": "runs the program", "call": "calls the function"}
TEXT_SHOWN = 4000
"""Characters of one program with its arguments."""


def consent_lines(told: Consent | None) -> list[str]:
    """What a batch does beyond its words, one sort a line."""
    return list(_lines(told)) if told else []


def _lines(told: Consent) -> Iterator[str]:
    for run in told.runs[:RUNS_SHOWN]:
        key, *beside = run.template
        words = " ".join(f"{name} {_text(run.template[name])}" for name in beside)
        what = _DONE.get(key, f"runs the {key}")
        yield f"{what} {_text(run.template[key])}{' with ' + words if words else ''} on {cell(run.backend)}"
        if run.by_rows:
            named = ", ".join(map(_text, run.by_rows[:PLACES_SHOWN]))
            yield f"runs what its rows name: {named}{_more(run.by_rows)}"
        elif run.first != run.template[key]:
            yield f"runs first {_text(run.first)}"
    if len(told.runs) > RUNS_SHOWN:
        yield f"runs {len(told.runs) - RUNS_SHOWN:,} more programs; check --json shows them"
    if told.variables:
        names = ", ".join(cell(name, 120) for name in told.variables)
        yield f"hands over the value of {names} from your environment"
    for upload in told.uploads:
        where = f"{cell(upload.backend)}{f' ({cell(upload.address, 120)})' if upload.address else ''}"
        ((key, written),) = upload.template.items() if upload.template else (("file", upload.first),)
        first = f", first {cell(upload.first, 200)}" if written != upload.first else ""
        yield f"uploads files to {where}: {key} = {_text(written)}{first}"
    for words, places in (
        (PathUse.READS, told.reads),
        (PathUse.RUNS, told.runs_in),
        ("writes results to", told.writes),
    ):
        if places:
            shown = ", ".join(cell(place, 120) for place in places[:PLACES_SHOWN])
            yield f"{words} {shown}{_more(places)}, outside its folder"


def _more(places: Sequence[Json]) -> str:
    return f" and {len(places) - PLACES_SHOWN:,} more" if len(places) > PLACES_SHOWN else ""


def _text(value: Json) -> str:
    """As it stands in the file, all of it as far as a person could read it."""
    text = clean(json.dumps(value, ensure_ascii=False))
    more = len(text) - TEXT_SHOWN
    return text if more <= 0 else f"{text[:TEXT_SHOWN]}… and {more:,} more characters"
