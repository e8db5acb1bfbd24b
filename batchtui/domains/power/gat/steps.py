"""The steps around a call of gat: which scenarios stand as they are, changed grids before it, tables after it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from batchtui.domains.power.gat.answers import GatFault
from batchtui.domains.power.gat.settings import GatSettings
from batchtui.work.calls.pool import Lost, NotStarted, Order, Pool
from batchtui.work.scenarios.inputs import input_hash, solved_by
from batchtui.work.scenarios.keeping import Scenario, Value, standing_value

_STEPS = "batchtui.domains.power.gat.scenarios"


def stand(scenarios: Sequence[Scenario], version: str, settings: GatSettings) -> list[Value | None]:
    """Fill in each scenario's `input_hash`; the value of those whose result of the same inputs is whole.

    gat's version and options are part of what a result was made from. Reads files: in a thread. Raises OSError.
    """
    found: list[Value | None] = []
    solver = [version, settings.solver, settings.lp_solver, settings.tol, settings.max_iter]
    optimal = any(scenario["task"].endswith("opf") for scenario in scenarios)
    for key, file in settings.files().items() if optimal else ():
        solver += [key, hashlib.sha256(Path(file).read_bytes()).hexdigest()]
    for scenario in scenarios:
        scenario["input_hash"] = solved_by(input_hash(scenario), ["gat", solver])
        found.append(standing_value(scenario, scenario["input_hash"]))
    return found


async def do_step(
    step: Literal["materialise", "collect"], scenarios: Sequence[Scenario], pool: Pool
) -> list[Value | GatFault]:
    """One step over these scenarios, in a warm worker. Cancelled, it ends the worker first."""
    order = Order(f"{_STEPS}:{step}", (), chunk=True, group=step, most=len(scenarios) or None)
    return list(await asyncio.gather(*(_do(order, scenario, pool) for scenario in scenarios)))


async def _do(order: Order, scenario: Scenario, pool: Pool) -> Value | GatFault:
    try:
        done = await pool.do(order, scenario, lambda _: None)
    except (Lost, NotStarted) as fault:
        return GatFault(getattr(fault, "kind", "output"), f"tables of the scenario: {fault}", passing=True)
    if done.fault is None:
        value: Value = done.value
        return value
    said = done.fault
    return GatFault(str(said["kind"]), str(said["message"]), bool(said.get("transient")))
