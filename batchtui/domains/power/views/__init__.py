"""Views of scenarios on a grid: what failed, voltages, loading, contingencies, prices."""

from __future__ import annotations

from collections.abc import Callable

from batchtui.domains.power.views.compare import build_of_two as build_of_two
from batchtui.domains.power.views.compare import names_of_two as names_of_two
from batchtui.domains.power.views.contingencies import flows, ranking
from batchtui.domains.power.views.loading import loading
from batchtui.domains.power.views.prices import binding, objectives, prices
from batchtui.domains.power.views.scenarios import duration, failures, scenarios
from batchtui.domains.power.views.source import Grid
from batchtui.domains.power.views.voltages import violations
from batchtui.errors import NotFound, nearest
from batchtui.results.scenarios.place import holds_scenarios
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import View
from batchtui.store.folder import BatchFolder

_BUILD: dict[str, tuple[str, Callable[[Grid, Options], View]]] = {
    "contingencies": ("Contingencies", ranking),
    "flows": ("Flows after an outage", flows),
    "scenarios": ("Scenarios", scenarios),
    "opf": ("Optimal power flow", objectives),
    "prices": ("Prices at the buses", prices),
    "binding": ("Binding branches", binding),
    "loading": ("Loading of branches", loading),
    "voltages": ("Voltage violations", violations),
    "duration": ("Duration curve", duration),
    "failures": ("Failures", failures),
}
_OF_OPF = ("opf", "prices", "binding")
_OF_N1 = ("contingencies", "flows")


def names(folder: BatchFolder) -> list[tuple[str, str]]:
    """What the tasks of this batch have something for, the most telling first."""
    if not holds_scenarios(folder.header):
        return []
    tasks = Grid(folder).tasks()
    left_out = {"voltages"} if tasks <= {"dc", "dcopf"} else set()
    if not any(task.endswith("opf") for task in tasks):
        left_out.update(_OF_OPF)
    if "n1" not in tasks:
        left_out.update(_OF_N1)
    return [(name, title) for name, (title, _) in _BUILD.items() if name not in left_out]


def build(folder: BatchFolder, name: str, options: Options) -> View:
    """One view; blocks while it reads. Raises NotFound, BadInput."""
    if name not in _BUILD:
        raise NotFound(f'no view "{name}"{nearest(name, _BUILD)}')
    return _BUILD[name][1](Grid(folder, options.among), options)
