"""Many trials of a shape: at every named point once, or at random by a seed; and their figures as a table."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from batchtui.demo.server import DemoServer
from batchtui.model import Json
from tests.crashes.lives import Nursery
from tests.crashes.shape import Shape
from tests.crashes.trial import Trial, Verdict

FAULTS = (
    "drop.create=0.14,502.create=0.1,drop.upload=0.1,502.upload=0.05,500=0.03,429=0.03,retry_after=0.1,"
    "late=150ms,duration=300ms"
)
"""Replies that are lost or say 5xx though the work was done, creates that come late, refusals of every call."""
DIRECT_FAULTS = "drop.chat=0.03,502.chat=0.02,latency=4ms"
KILLS_A_TRIAL = 10
TRIALS = 5
"""Batches within which a shape must have passed all its named points."""


class Laboratory:
    """One nursery, and a server for each trial."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        self._nursery = Nursery(folder)
        self._unbroken: dict[Shape, list[tuple[str, Json]]] = {}
        self._places: dict[str, dict[str, str]] = {}
        self._stack = ExitStack()

    def close(self) -> None:
        self._nursery.close()
        self._stack.close()

    @contextmanager
    def trial(self, shape: Shape, seed: int, faults: str = "", *, more: str = "") -> Iterator[Trial]:
        usual = DIRECT_FAULTS if shape.direct else FAULTS
        folder = self._folder / f"{shape.name}-{next(self._numbers)}"
        with DemoServer(faults=f"{faults or usual}{more},seed={seed}") as server:
            trial = Trial(shape, folder, self._nursery, server, self._place(shape))
            trial.unbroken = self._unbroken.get(shape)
            yield trial

    def _place(self, shape: Shape) -> dict[str, str]:
        if shape.name not in self._places:
            self._places[shape.name] = shape.place(self._stack)
        return self._places[shape.name]

    def compare(self, shape: Shape) -> None:
        """Run it once without a kill or a fault, for all trials of it that follow."""
        with self.trial(shape, 1, "duration=100ms") as trial:
            assert trial.begin().wait() == 0
            self._unbroken[shape] = list(shape.told(trial.store))

    def named(self, shape: Shape, seed: int = 1) -> Verdict:
        """Killed once at each of its points."""
        verdict, left = Verdict(), list(shape.points)
        for number in range(TRIALS):
            with self.trial(shape, seed + number) as trial:
                left = [point for point in left if not trial.kill_at(point)]
                verdict.add(trial.finish())
            if not left:
                return verdict
        verdict.faults.append(f"never passed: {', '.join(left)}")
        return verdict

    def randomly(self, shape: Shape, kills: int, seed: str) -> Verdict:
        """Killed so many times at random."""
        verdict = Verdict()
        self.compare(shape)
        for number in count(1):
            chance = random.Random(f"{seed}-{shape.name}-{number}")
            with self.trial(shape, chance.randrange(1_000_000)) as trial:
                wanted = min(KILLS_A_TRIAL, kills - verdict.kills)
                while trial.kills < wanted and trial.kill_at_random(chance):
                    pass
                found = trial.finish()
            found.faults = [f"{shape.name}, seed {seed}, trial {number}: {words}" for words in found.faults]
            verdict.add(found)
            if verdict.kills >= kills:
                break
        return verdict


@contextmanager
def laboratory() -> Iterator[Laboratory]:
    with ExitStack() as stack:
        made = Laboratory(Path(stack.enter_context(TemporaryDirectory(prefix="crashes-"))))
        stack.callback(made.close)
        yield made


COLUMNS = (
    "kind",
    "kills",
    "creates",
    "unheard",
    "again",
    "counted",
    "twice",
    "lost",
    "doubled",
    "damaged",
    "differs",
)


def heading() -> str:
    return "  ".join(f"{name:>11}" if name == "kind" else f"{name:>7}" for name in COLUMNS)


def line(name: str, verdict: Verdict) -> str:
    return "  ".join([f"{name:>11}", *(f"{getattr(verdict, key):>7,}" for key in COLUMNS[1:])])


def small(shape: Shape) -> Shape:
    """A shape with a submission for every job, so that each point is passed often."""
    return shape if shape.direct or shape.name == "buttermilk" else replace(shape, jobs=18, each=1)
