"""The tasks that workers run: power flow, optimal power flow and contingencies.

for found in solve_many([{"task": "ac", "grid": "/abs/case118.m", "loads": "/abs/s1.csv"}, …]): …
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from batchtui.domains.power.extras import missing_extra
from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import Case
from batchtui.domains.power.scenarios.scenario import Options, Scenario, Task, scenario_of
from batchtui.model import Json
from batchtui.work.scenarios.keeping import kept
from batchtui.work.without import without

if TYPE_CHECKING:
    from batchtui.domains.power.solution import Solution

Value: TypeAlias = dict[str, Json]
Solver: TypeAlias = "Callable[[Sequence[Scenario]], Iterator[Solution | Fault] | list[Solution | Fault]]"


def solve_many(jobs: Sequence[Mapping[str, Json]]) -> Iterator[Value | Exception]:
    """Solve the jobs in their order, those of one grid and the same options in one call where the task allows.

    Arguments of a job: `task`, `grid` (absolute path), and, where given: `loads` (absolute path), `outages`,
    `load_scale`, `generation_scale`, `dc_model`, `slack`, `folder`, `input_hash`. A value is
    {"summary": figures by column, "input_hash", and "files": table -> file name} with the tables written into
    `folder`; where `folder` is None, "tables": table -> column -> values instead. A folder that holds the result of
    the same inputs is taken as it is. Any other outcome is an exception: a Fault with its `kind`, or whatever the
    worker could not foresee; but for a folder that cannot be written, none of them is transient.
    """
    return kept([dict(job) for job in jobs], _solve)


def _solve(jobs: Sequence[Mapping[str, Json]]) -> Iterator[Value | Exception]:
    """Solve them all: {"summary", "tables"} or an exception for each. Imports come first: they are no scenario's time."""
    tasks = {job.get("task") for job in jobs}
    # lightsim2grid imports pandapower where it is installed, which takes ten times as long as all the rest.
    with without("pandapower", "pandas"), contextlib.suppress(ImportError):  # said with each scenario
        _solver("ac")
        import lightsim2grid.network  # noqa: F401

        if tasks & {"dcopf", "acopf"}:
            _solver("dcopf")
            import pypower.api  # noqa: F401
    return _solved(jobs)


def _solved(jobs: Sequence[Mapping[str, Json]]) -> Iterator[Value | Exception]:
    prepared = [(job, _prepared(job)) for job in jobs]
    for key, group in itertools.groupby(prepared, key=lambda pair: _group(pair[1])):
        pairs = list(group)
        if key is None:
            for _, fault in pairs:
                yield fault if isinstance(fault, Exception) else RuntimeError("no scenario and no fault")
            continue
        scenarios = [scenario for _, scenario in pairs if isinstance(scenario, Scenario)]
        notes = scenarios[0].case.notes
        for (job, _), found in zip(pairs, _solutions(key[-1].task, scenarios), strict=True):
            yield found if isinstance(found, Exception) else _value(job, found, notes)


def _prepared(job: Mapping[str, Json]) -> Scenario | Exception:
    try:
        return scenario_of(job)
    except Exception as fault:
        return fault


def _group(scenario: Scenario | Exception) -> tuple[int, tuple[int, ...], Options] | None:
    """What scenarios have in common that are solved together; by how much each is scaled is its own."""
    if isinstance(scenario, Exception):
        return None
    return id(scenario.case), scenario.roots, replace(scenario.options, load_scale=1.0, generation_scale=1.0)


def _solutions(task: Task, scenarios: Sequence[Scenario]) -> Iterator[Solution | Exception]:
    """One solution or fault a scenario; a fault of the grid or the solver is that of every scenario left."""
    done = 0
    try:
        for found in _solver(task, scenarios[0].case)(scenarios):
            done += 1
            yield found
    except GeneratorExit:
        raise
    except Exception as fault:
        why = (missing_extra(task) or fault) if isinstance(fault, ImportError) else fault
        for _ in scenarios[done:]:
            yield why


def _solver(task: Task, case: Case | None = None) -> Solver:
    """Imported when used, so that power flow does not wait for what only OPF needs."""
    if case is not None and type(case) is not Case:  # a format whose own library solves it
        from batchtui.domains.power.solving.flow.pgm_flows import solve_pgm

        return solve_pgm
    if task in ("dc", "ac"):
        from batchtui.domains.power.solving.flow.flows import solve_flows

        return solve_flows
    if task == "n1":
        from batchtui.domains.power.solving.flow.contingencies import solve_contingencies

        return solve_contingencies
    from batchtui.domains.power.solving.optimal.opf import solve_opf

    return solve_opf


def _value(job: Mapping[str, Json], solution: Solution, notes: Sequence[str]) -> Value:
    """`notes`: what the grid's reader had to guess; what the solver has to say follows them."""
    said = [*notes, *solution.summary.get("notes", [])]
    guessed = {"notes": said} if said else {}
    return {"summary": {"task": job["task"], **solution.summary, **guessed}, "tables": solution.tables}
