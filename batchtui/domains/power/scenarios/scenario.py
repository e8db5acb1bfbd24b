"""One scenario, read and checked: what the solvers take. Standard library only."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast, get_args

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import (
    BR_STATUS,
    BR_X,
    BUS_I,
    BUS_TYPE,
    F_BUS,
    GEN_BUS,
    GEN_STATUS,
    ISOLATED,
    T_BUS,
    Case,
    bus_rows,
    named_rows,
    shown,
)
from batchtui.domains.power.grids.read import read_case
from batchtui.domains.power.scenarios.loads import Loads, read_loads, unknown_bus
from batchtui.domains.power.scenarios.outages import Outages, islanded, names_of, outages_of, references
from batchtui.errors import nearest
from batchtui.model import Json

Task: TypeAlias = Literal["dc", "ac", "dcopf", "acopf", "n1"]
DcModel: TypeAlias = Literal["matpower", "powermodels"]
TASKS: Final[tuple[str, ...]] = get_args(Task)
DC_MODELS: Final[tuple[str, ...]] = get_args(DcModel)
_OPF: Final = ("dcopf", "acopf")
_WITH_DC: Final = ("dc", "dcopf", "n1")


@dataclass(frozen=True, slots=True)
class Options:
    """What a scenario asks for beside its grid, its loads and its outages."""

    task: Task
    load_scale: float = 1.0
    generation_scale: float = 1.0
    dc_model: DcModel | None = None
    slack: int | None = None

    @property
    def is_linear(self) -> bool:
        """Whether the DC equations are solved."""
        return self.task in ("dc", "dcopf") or self.dc_model is not None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario of a grid in which every bus has a path to a reference bus (rows `roots` of bus).

    At each of these a generator is in service.
    """

    grid: str
    case: Case
    roots: tuple[int, ...]
    loads: Loads
    outages: Outages
    options: Options


def scenario_of(arguments: Mapping[str, Json]) -> Scenario:
    """The scenario of a task's arguments. Raises Fault."""
    grid, loads = arguments.get("grid"), arguments.get("loads")
    if not isinstance(grid, str | Path) or not isinstance(loads, str | Path | None):
        raise Fault("bad_input", "grid and loads are no paths")
    options = options_of(arguments)
    case = read_case(grid)
    demand = {} if loads is None else read_loads(loads)
    if fault := demand and unknown_bus(demand, named_rows(case), str(loads)):
        raise fault
    outages = outages_of(arguments.get("outages"), case)
    roots = sound_roots(case, outages, options)
    return Scenario(str(grid), case, roots, demand, outages, options)


def options_of(given: Mapping[str, Json]) -> Options:
    """The options; None counts as not given. Raises Fault (bad_input)."""
    task = str(given.get("task"))
    if task not in TASKS:
        hint = nearest(task, TASKS) or f"; tasks are {', '.join(TASKS)}"
        raise Fault("bad_input", f"unknown task {shown(task)}{hint}")
    model = given.get("dc_model")
    if model is not None and model not in DC_MODELS:
        hint = nearest(str(model), DC_MODELS) or "; it is matpower or powermodels"
        raise Fault("bad_input", f"unknown dc_model {shown(str(model))}{hint}")
    if model is not None and task not in _WITH_DC:
        raise Fault("bad_input", f"dc_model is for {', '.join(_WITH_DC)}; {task} solves the AC equations")
    slack = given.get("slack")
    if slack is not None and type(slack) is not int:
        raise Fault("bad_input", f"slack {shown(str(slack))} is no bus number")
    generation = _factor(given, "generation_scale")
    if generation != 1.0 and task in _OPF:
        raise Fault("bad_input", f"generation_scale is for a given dispatch; {task} finds its own")
    return Options(
        cast(Task, task),
        _factor(given, "load_scale"),
        generation,
        cast(DcModel | None, model),
        slack,
    )


def _factor(given: Mapping[str, Json], name: str) -> float:
    value = given.get(name)
    if value is None:
        return 1.0
    if type(value) not in (int, float) or not math.isfinite(value):
        raise Fault("bad_input", f"{name} {shown(str(value))} is no finite number")
    return float(value)


def sound_roots(case: Case, outages: Outages, options: Options) -> tuple[int, ...]:
    """The rows of the reference buses of a grid that can be solved so. Raises Fault: bad_input or islanded."""
    found = _roots(case, outages, options.slack)
    if options.task in _OPF and case.cost_fault is not None:
        raise case.cost_fault.with_traceback(None)
    if options.task in _OPF and not case.gencost:
        raise Fault("bad_input", f"the grid has no generator costs (gencost); {options.task} needs them")
    lame = _without_reactance(case) if options.is_linear else None
    if lame is not None:
        raise Fault("bad_input", f"branch row {lame + 1} has no reactance; the DC equations need one")
    if isinstance(found, Fault):
        raise found.with_traceback(None)
    return found


@functools.lru_cache(maxsize=256)
def _roots(case: Case, outages: Outages, slack: int | None) -> tuple[int, ...] | Fault:
    """Kept, since the same few grids and outages come again with every scenario.

    Of several reference buses one without a generator in service is an ordinary bus, as in MATPOWER.
    """
    try:
        named = references(case, slack)
    except Fault as fault:
        return fault
    gone = set(outages.generators)
    fed = {row[GEN_BUS] for place, row in enumerate(case.gen) if row[GEN_STATUS] > 0 and place not in gone}
    roots = tuple(row for row in named if case.bus[row][BUS_I] in fed)
    if not roots:
        bus = "bus" if len(named) == 1 else "buses"
        have = "has" if len(named) == 1 else "have"
        words = f"the reference {bus} {names_of(case, named)} {have} no generator in service"
        return Fault("bad_input", words)
    apart = islanded(case, outages.branches, roots)
    return roots if apart is None else apart


@functools.lru_cache(maxsize=8)
def _without_reactance(case: Case) -> int | None:
    rows = bus_rows(case)
    apart = {number for number, row in rows.items() if case.bus[row][BUS_TYPE] == ISOLATED}
    for place, row in enumerate(case.branch):
        if row[BR_X] == 0 and row[BR_STATUS] > 0 and not apart & {int(row[F_BUS]), int(row[T_BUS])}:
            return place
    return None
