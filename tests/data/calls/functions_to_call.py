"""Functions that tests call in worker processes."""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path


def double(x: float) -> dict[str, float]:
    return {"x": x, "twice": 2 * float(x)}


def talks(x: int) -> int:
    print(f"out of {x}")
    print(f"err of {x}", file=sys.stderr)
    os.system(f"echo a child of {x}")
    return x


def process(x: object = None) -> int:
    return os.getpid()


def environment(name: str) -> str | None:
    return os.environ.get(name)


def raises(x: object) -> None:
    print("before it fails")
    raise ValueError(f"no {x}")


class DidNotConverge(Exception):
    kind = "not_converged"
    transient = False


class Busy(Exception):
    kind = "busy"
    transient = True


def diverges() -> None:
    raise DidNotConverge("after 20 iterations")


def busy_until(file: str) -> str:
    if not Path(file).exists():
        Path(file).touch()
        raise Busy("come back later")
    return "done"


def gives(what: str) -> object:
    class Scalar:
        def tolist(self) -> float:
            return 1.5

    values: dict[str, object] = {
        "set": {1},
        "nan": float("nan"),
        "scalar": [Scalar()],
        "date": datetime.date(2026, 1, 2),
        "surrogate": "\ud83d",
        "big": 2**80,
    }
    return values[what]


def huge(size: int) -> str:
    return "x" * size


def leaves() -> None:
    sys.exit("no more")


def reads_stdin() -> str:
    return sys.stdin.read()


def dies(file: str, times: int) -> str:
    """Killed as often as said, counted in a file, then works."""
    before = len(Path(file).read_text().splitlines()) if Path(file).exists() else 0
    with open(file, "a") as counted:
        counted.write(f"{os.getpid()} {time.time()}\n")
    if before < times:
        os.kill(os.getpid(), signal.SIGKILL)
    return f"after {before} deaths"


def forks_and_dies() -> None:
    """Leaves a child behind that holds all that the worker held."""
    if os.fork() == 0:
        time.sleep(300)
    os.kill(os.getpid(), signal.SIGKILL)


def waits(file: str, gate: str, child: bool = False) -> str:
    """Writes its pid to `file`, then waits until there is a file `gate`."""
    pid = subprocess.Popen(["sleep", "300"]).pid if child else os.getpid()
    with open(file, "w") as told:
        told.write(f"{pid}\n")
    while not Path(gate).exists():
        time.sleep(0.01)
    return "through"


def counts(file: str, name: str) -> None:
    """Adds a line with its name."""
    with open(file, "a") as told:
        told.write(f"{name}\n")


def lengths(jobs: list[dict[str, int]]) -> list[int]:
    return [len(jobs)] * len(jobs)


def one_by_one(jobs: list[dict[str, int]]) -> Iterator[object]:
    """An exception for 2; the whole chunk fails at 3, the worker dies at 4, unless asked alone and not `always`."""
    for job in jobs:
        x = job["x"]
        if x == 2:
            yield DidNotConverge("two")
        elif x == 3 and len(jobs) > 1:
            raise RuntimeError("three")
        elif x == 4 and len(jobs) > 1:
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            yield x


def too_few(jobs: list[dict[str, int]]) -> list[int]:
    return [1]


no_function = "text"
