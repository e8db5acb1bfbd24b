"""Before and after a call of gat, in a worker process, since both need pyarrow.

`materialise` writes the changed grids of scenarios, since gat reads no loads and no outages; `collect` turns the
tables that gat left into the tables and figures of a task. Both are calls that take a chunk (see `call_worker`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.read import read_case
from batchtui.domains.power.readers.arrow_folder import ArrowGrid, Row, in_service, load, save
from batchtui.domains.power.scenarios.loads import read_loads, unknown_bus
from batchtui.domains.power.scenarios.outages import outages_of
from batchtui.model import Json
from batchtui.text import cell
from batchtui.work.scenarios.keeping import Scenario, Value, kept

UNRATED: Final = 9900.0
"""MVA from which a rating means that there is none; so does 0."""
_COLUMNS: Final = ("branch_id", "from_bus", "to_bus", "flow_mw")

_grids: dict[str, ArrowGrid] = {}


def materialise(scenarios: list[Scenario]) -> Iterator[Value | Exception]:
    """`{"grid": folder}` of each scenario."""
    return _each(scenarios, _materialised)


def collect(scenarios: list[Scenario]) -> Iterator[Value | Exception]:
    """`{"summary", "files" or "tables", "input_hash"}` of each scenario, its tables kept in its folder."""
    return kept(scenarios, lambda solved: _each(solved, _collected))


def _materialised(scenario: Scenario) -> Value:
    """Write `changed`, a copy of `grid` with the scenario's loads, outages and scales. Raises Fault, OSError.

    A row of the loads file replaces what the bus takes; the scales go over all loads and all units.
    """
    base = _grid(scenario["grid"])
    tables = {name: [dict(row) for row in rows] for name, rows in base.tables.items()}
    grid = ArrowGrid(base.folder, tables, base.schemas, base.manifest)
    if scenario.get("loads"):
        _replace_loads(grid, scenario["loads"])
    if scenario.get("outages"):
        out = outages_of(scenario["outages"], read_case(scenario["grid"]))
        _switch_off(grid.of("branches"), out.branches)
        _switch_off(grid.of("generators"), out.generators)
    _scale(grid.of("loads"), ("active_power_mw", "reactive_power_mvar"), scenario.get("load_scale"))
    _scale(grid.of("generators"), ("active_power_mw",), scenario.get("generation_scale"))
    save(grid, Path(scenario["changed"]))
    return {"grid": scenario["changed"]}


def _replace_loads(grid: ArrowGrid, file: str) -> None:
    wanted = read_loads(file)
    if fault := unknown_bus(wanted, {row["id"] for row in grid.of("buses")}, file):
        raise fault
    rows = [row for row in grid.of("loads") if row["bus"] not in wanted]
    number = max((row["id"] for row in grid.of("loads")), default=0)
    for bus, (p, q, _) in wanted.items():
        number += 1
        power = {"active_power_mw": p, "reactive_power_mvar": q}
        rows.append({"id": number, "name": f"Load {bus}", "bus": bus, "status": True, **power})
    grid.tables["loads"] = rows


def _switch_off(rows: list[Row], places: Iterable[int]) -> None:
    for place in places:
        rows[place]["status"] = False
        for power in ("active_power_mw", "reactive_power_mvar"):
            if power in rows[place]:
                rows[place][power] = 0.0


def _scale(rows: list[Row], names: Iterable[str], factor: float | None) -> None:
    if factor is not None:
        for row in rows:
            row |= {name: (row[name] or 0.0) * factor for name in names}


def _collected(scenario: Scenario) -> Value:
    """`{"summary", "tables"}` from `result`, the Parquet file that gat left. Raises Fault."""
    import pyarrow
    import pyarrow.parquet

    path = Path(scenario["result"])
    try:
        found = pyarrow.parquet.read_table(path, use_threads=False).to_pydict()
    except FileNotFoundError:
        raise Fault("bad_input", "gat calls the scenario ok but left no table of it") from None
    except (pyarrow.ArrowException, OSError) as fault:
        raise Fault("bad_input", f"gat's table cannot be read ({cell(str(fault), 80)})") from None
    if lacking := next((name for name in _COLUMNS if name not in found), None):
        raise Fault("bad_input", f"gat's table has no column {lacking}")
    grid = _grid(scenario["grid"])
    place = {row["id"]: number for number, row in enumerate(grid.of("branches"), 1)}
    rating = {row["id"]: row.get("rate_a_mva") for row in grid.of("branches")}
    flows, ids = found["flow_mw"], found["branch_id"]
    if unknown := [id_ for id_ in ids if id_ not in place]:
        raise Fault("bad_input", f"gat's table names branch {unknown[0]}, which the grid has not")
    loading = [_loading(flow, rating[id_]) for id_, flow in zip(ids, flows, strict=True)]
    nothing: list[None] = [None] * len(ids)
    branch = {
        "branch_id": [place[id_] for id_ in ids],
        "from_bus": found["from_bus"],
        "to_bus": found["to_bus"],
        "flow_mw": flows,
        "q_from_mvar": nothing,
        "p_to_mw": [None if flow is None else -flow for flow in flows],
        "q_to_mvar": nothing,
        "loading_pct": loading,
        "loss_mw": [0.0] * len(ids),
    }
    return {"summary": _summary(scenario, grid, branch), "tables": {"branch": branch}}


def _summary(scenario: Scenario, grid: ArrowGrid, branch: dict[str, list[Json]]) -> dict[str, Json]:
    """What is known of a lossless linear solution; voltages, objective and convergence gat does not give."""
    load_mw = _total(in_service(grid.of("loads")))
    rated = [
        (value, id_)
        for value, id_ in zip(branch["loading_pct"], branch["branch_id"], strict=True)
        if value is not None
    ]
    worst, worst_branch = max(rated, default=(None, None), key=lambda pair: pair[0])
    found = {
        "load_mw": load_mw,
        "gen_mw": load_mw,
        "loss_mw": 0.0,
        "loading_max_pct": worst,
        "loading_max_branch": worst_branch,
        "n_overloads": sum(value > 100.0 for value, _ in rated) if worst is not None else None,
        "duration_ms": scenario.get("duration_ms"),
    }
    return {**found, "method": scenario["method"]} if scenario.get("method") else found


def _total(rows: Iterable[Row]) -> float:
    return float(sum(row.get("active_power_mw") or 0.0 for row in rows))


def _loading(flow: float | None, rating: float | None) -> float | None:
    """Percent of rate A, where the branch has one."""
    if flow is None or not rating or rating >= UNRATED:
        return None
    return abs(flow) / rating * 100.0


def _grid(path: str) -> ArrowGrid:
    if path not in _grids:
        _grids.clear()  # scenarios of one grid come together
        _grids[path] = load(path)
    return _grids[path]


def _each(scenarios: list[Scenario], do: Callable[[Scenario], Value]) -> Iterator[Value | Exception]:
    for scenario in scenarios:
        try:
            yield do(scenario)
        except Exception as fault:
            yield fault
