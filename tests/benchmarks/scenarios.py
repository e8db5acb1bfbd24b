"""1,000 load scenarios of case118 on one core: the solve part beside a plain pandapower loop, and the tables on disk.

The solve part takes injections as arrays and gives voltages, flows at both ends and generation as arrays; pandapower
takes and gives the same in its own tables, one `runpp` or `rundcpp` a scenario. Both take turns in the same run, so
that other load hits them alike. pandapower is needed here only: `pip install pandapower`, and numba, which it then
uses. Run: python -m tests.benchmarks.scenarios [N]
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import importlib
import importlib.metadata
import importlib.util
import logging
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from batchtui.domains.power.grids.case import BUS_I, PD, QD
from batchtui.domains.power.grids.read import read_case
from batchtui.domains.power.scenarios.scenario import Scenario, scenario_of
from batchtui.model import Json
from batchtui.work.without import without
from tests.benchmarks.report import line

GRID = Path(__file__).parents[1] / "data" / "power" / "case118" / "case118.m"
SEED = 118
AT_ONCE = 128
"""Scenarios a call, as workers get them."""
ROUNDS = 5
THEIRS = 6
"""Scenarios of pandapower a round."""
SPEEDUP = {"ac": 100.0, "dc": 1000.0}
GOAL_SECONDS = 3.0


def drawn(count: int) -> list[dict[int, tuple[float, float]]]:
    """Every load of the case times a number from 0.9 to 1.1, by bus."""
    draw = random.Random(SEED)
    base = [row for row in read_case(GRID).bus if row[PD] or row[QD]]
    return [
        {
            int(row[BUS_I]): (row[PD] * factor, row[QD] * factor)
            for row in base
            for factor in [draw.uniform(0.9, 1.1)]
        }
        for _ in range(count)
    ]


def ours(task: str, loads: list[dict[int, tuple[float, float]]]) -> Callable[[], None]:
    """The solve of all scenarios, in the chunks of a worker; the grid is ready, as in a warm worker."""
    from batchtui.domains.power.solving.flow.sweep import solve
    from batchtui.domains.power.solving.network.grid import grid_of, injections_of

    bare = scenario_of({"task": task, "grid": str(GRID)})
    grid = grid_of(bare.case, bare.root)
    scenarios = [
        Scenario(bare.grid, bare.case, bare.root, {bus: (p, q, 1) for bus, (p, q) in one.items()}, bare.outages, bare.options)
        for one in loads
    ]  # fmt: skip
    chunks = [injections_of(grid, scenarios[at : at + AT_ONCE]) for at in range(0, len(scenarios), AT_ONCE)]

    def run() -> None:
        for chunk in chunks:
            assert solve(grid, chunk, dc=task == "dc").converged.all()

    return run


def theirs(task: str, loads: list[dict[int, tuple[float, float]]]) -> Callable[[], None]:
    """A plain loop of pandapower over its own case118."""
    import pandapower
    import pandapower.networks

    net = pandapower.networks.case118()
    solve = pandapower.rundcpp if task == "dc" else pandapower.runpp
    options: dict[str, Json] = (
        {"numba": importlib.util.find_spec("numba") is not None} if task == "ac" else {}
    )
    numbers = [int(bus) + 1 for bus in net.load.bus]  # it counts the buses from 0

    def run() -> None:
        for one in loads:
            net.load["p_mw"] = [one[number][0] for number in numbers]
            net.load["q_mvar"] = [one[number][1] for number in numbers]
            solve(net, **options)

    return run


def seconds(run: Callable[[], None]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def compared(task: str, loads: list[dict[int, tuple[float, float]]]) -> bool:
    mine, other = ours(task, loads), theirs(task, loads[:THEIRS])
    mine()
    other()
    peer = took = 0.0
    for _ in range(ROUNDS):
        peer += seconds(other) / (ROUNDS * THEIRS)
        took += seconds(mine) / (ROUNDS * len(loads))
    print(
        f"{task}: pandapower {peer * 1e3:.2f} ms a scenario, ours {took * 1e3:.4f} ms ({1 / took:.0f} scenarios/s)"
    )
    goal = SPEEDUP[task]
    return line(f"{task}_speedup", peer / took, "times", goal * took / peer, 1.0)


def written(loads: list[dict[int, tuple[float, float]]]) -> bool:
    """From the first solve to the last Parquet file, in one process: loads files are read, three files each written."""
    from batchtui.domains.power.tasks import solve_many

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs: list[dict[str, Json]] = []
        for number, one in enumerate(loads):
            file = folder / f"{number}.csv"
            rows = "".join(f"{bus},{p!r},{q!r}\n" for bus, (p, q) in one.items())
            file.write_text(f"bus_id,p_mw,q_mvar\n{rows}")
            place = str(folder / f"job_{number}")
            jobs.append(
                {"id": str(number), "task": "ac", "grid": str(GRID), "loads": str(file), "folder": place}
            )
        warm = [{**job, "folder": f"{job['folder']}.warm"} for job in jobs[:2]]
        assert not any(isinstance(found, Exception) for found in solve_many(warm))

        def run() -> None:
            for at in range(0, len(jobs), AT_ONCE):
                assert not any(isinstance(found, Exception) for found in solve_many(jobs[at : at + AT_ONCE]))

        took = seconds(run)
        assert all((Path(job["folder"]) / "result.parquet").exists() for job in jobs)
    goal = GOAL_SECONDS * len(loads) / 1000
    return line(f"{len(loads)}_ac_scenarios_to_disk_one_core", took, "s", took / goal, 1.0)


def main() -> int:
    warnings.simplefilter("ignore")
    logging.disable()  # pandapower asks for numba at every call
    loads = drawn(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    begin = time.perf_counter()
    with without(
        "pandapower", "pandas"
    ):  # as the workers do: lightsim2grid imports them where they are there
        for module in (
            "lightsim2grid.network",
            "pyarrow.parquet",
            "batchtui.domains.power.solving.flow.flows",
        ):
            importlib.import_module(module)
    print(f"imports of a worker (lightsim2grid, numpy, pyarrow): {time.perf_counter() - begin:.2f} s")
    passed = written(loads)
    if importlib.util.find_spec("pandapower") is None:
        print("the comparison needs pandapower: pip install pandapower")
        return 1
    numba = "with" if importlib.util.find_spec("numba") else "without"
    print(f"pandapower {importlib.metadata.version('pandapower')} {numba} numba")
    return 0 if all([compared("ac", loads), compared("dc", loads), passed]) else 1


if __name__ == "__main__":
    raise SystemExit(main())
