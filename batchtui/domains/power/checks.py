"""Scenarios before they run: faults by which one will fail while the others are solved, and what solving takes.

`batchtui/work/tasks.py` asks for this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchtui.work.job import ProgramWork

if TYPE_CHECKING:
    from batchtui.domains.power.fault import Fault


def notices(work: ProgramWork) -> list[tuple[str, str]]:
    """(key, message) of each fault that shows without solving; the message names file and line. Empty for other work."""
    if work.form != "task" or work.grid is None:
        return []
    from batchtui.domains.power.scenarios.checks import faults_of

    faults = faults_of(
        work.grid,
        work.loads,
        [{"type": one.type, "id": one.id} for one in work.outages or ()],
        task=str(work.task),
        load_scale=work.load_scale,
        generation_scale=work.generation_scale,
        dc_model=work.dc_model,
        slack=work.slack,
    )
    return [(_key(fault, work), f"will fail: {fault}") for fault in faults]


def missing(work: ProgramWork) -> list[tuple[str, str]]:
    """(key, message) where this machine cannot solve the task. Grids of other programs may need other libraries."""
    from batchtui.domains.power.extras import missing_extra
    from batchtui.domains.power.fault import Fault
    from batchtui.domains.power.grids.read import read_plain_case

    lacking = missing_extra(str(work.task))
    if lacking is None:
        return []
    try:
        foreign = work.grid is None or read_plain_case(work.grid) is None
    except Fault:
        foreign = False
    return [] if foreign else [("task", lacking.message)]


def libraries(work: ProgramWork) -> tuple[str, ...]:
    """Names of modules; none for a grid that cannot be read, which is told for itself."""
    from batchtui.domains.power.needs import libraries_of

    return libraries_of(str(work.task), work.grid) if work.grid else ()


def _key(fault: Fault, work: ProgramWork) -> str:
    if fault.file is None or fault.kind == "islanded":
        return "outages"
    return "loads" if fault.file == work.loads else "grid"
