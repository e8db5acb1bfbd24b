"""What can be told about a scenario before it runs, with the standard library only.

    faults_of("/abs/case14.m", "/abs/s001.csv", [{"type": "branch", "id": "14"}], task="ac")

Grids and loads files are read again only when they have changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import Case, bus_rows
from batchtui.domains.power.grids.read import read_plain_case
from batchtui.domains.power.scenarios.loads import read_loads, unknown_bus
from batchtui.domains.power.scenarios.outages import Outages, outages_of
from batchtui.domains.power.scenarios.scenario import Options, options_of, sound_roots
from batchtui.model import Json


def faults_of(
    grid: str | Path,
    loads: str | Path | None = None,
    outages: Sequence[Mapping[str, Json]] | None = None,
    *,
    task: str = "dc",
    load_scale: float | None = None,
    generation_scale: float | None = None,
    dc_model: str | None = None,
    slack: int | None = None,
) -> list[Fault]:
    """Every fault of a scenario that shows without solving it; none where it looks sound.

    Kinds: bad_input, missing_file, islanded. Paths are absolute. A grid in a format that needs a library to
    be read is only looked for; its loads file is then checked for form alone. Never raises for a bad scenario.
    """
    faults: list[Fault] = []
    options: Options | None = None
    case: Case | None = None
    out: Outages | None = None
    try:
        options = options_of(
            {
                "task": task,
                "load_scale": load_scale,
                "generation_scale": generation_scale,
                "dc_model": dc_model,
                "slack": slack,
            }
        )
    except Fault as fault:
        faults.append(fault)
    try:
        case = read_plain_case(grid)
    except Fault as fault:
        faults.append(fault)
    if loads is not None:
        try:
            demand = read_loads(loads)
            unknown = None if case is None else unknown_bus(demand, bus_rows(case), loads)
            if unknown is not None:
                faults.append(unknown)
        except Fault as fault:
            faults.append(fault)
    try:
        out = outages_of(outages, case)
    except Fault as fault:
        faults.append(fault)
    if case is not None and out is not None and options is not None:
        unsound = _unsound(case, out, options)
        if unsound is not None:
            faults.append(Fault(unsound.kind, unsound.message, unsound.file or grid, unsound.line))
    return faults


def _unsound(case: Case, out: Outages, options: Options) -> Fault | None:
    try:
        sound_roots(case, out, options)
    except Fault as fault:
        return fault
    return None
