"""One batch over one server, killed again and again, run to its end, and judged by what the other side says of it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from signal import SIGKILL

from batchtui.demo.server import DemoServer
from batchtui.model import Json
from batchtui.store.files.results import read_after
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from tests.crashes.lives import DEADLINE, ROOT, Life, Nursery
from tests.crashes.shape import Shape

KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")


@dataclass
class Verdict:
    """Figures of one trial or of many; `faults` in words."""

    kills: int = 0
    creates: int = 0
    unheard: int = 0
    """Creates and calls whose reply reached nobody."""
    again: int = 0
    """Direct jobs that were done once more, which `counted` must cover."""
    counted: int = 0
    twice: int = 0
    lost: int = 0
    doubled: int = 0
    """Jobs with two results."""
    damaged: int = 0
    differs: int = 0
    """Jobs that came to something else than in a run that nobody broke."""
    faults: list[str] = field(default_factory=list)

    def add(self, other: Verdict) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


class Trial:
    """The batch of a shape in a folder of its own."""

    def __init__(
        self, shape: Shape, folder: Path, nursery: Nursery, server: DemoServer, place: Mapping[str, str]
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.shape, self.folder, self.nursery, self.server = shape, folder, nursery, server
        self.batch = shape.prepare(folder, server)
        self.data = folder / "data"
        self.env = {name: os.environ[name] for name in KEPT if name in os.environ} | {
            "BATCHTUI_DATA_DIR": str(self.data),
            "BATCHTUI_CONFIG": str(folder / "config.toml"),
            "BATCHTUI_STATE_DIR": str(folder / "state"),
            "PYTHONPATH": str(ROOT),
            "DALY_WORKSPACE_KEY": "wk_demo_4711",
            "DALY_USER_KEY": "uk_demo_4712",
            **place,
        }
        self.kills = 0
        self.unbroken: list[tuple[str, Json]] | None = None
        """What the jobs come to where nobody kills it, if that is known."""
        self.faults: list[str] = []
        self._stored: Counter[str] = Counter()

    # ---- lives

    @property
    def words(self) -> list[str]:
        """The command that starts the batch, or goes on with it."""
        ids = self.store_ids()
        return ["resume", ids[0]] if ids else ["run", "--trust", "--yes", str(self.batch)]

    def begin(self, point: str = "", nth: int = 1, *, number: int = SIGKILL, err: str | None = None) -> Life:
        return self.nursery.begin(self.words, self.env, point, nth, number=number, err=err)

    def kill_at(self, point: str, nth: int = 1) -> bool:
        """A life that ends at that point; False where the batch ended without passing it."""
        life = self.begin(point, nth)
        life.wait()
        return self._was_killed(life)

    def kill_after(self, seconds: float) -> bool:
        """A life that ends so many seconds after its start; False where the batch ended before."""
        life = self.begin()
        if not life.ended(seconds):
            life.kill()
        life.wait()
        return self._was_killed(life)

    def _was_killed(self, life: Life) -> bool:
        if not life.killed:
            if life.code != 0:
                self.faults.append(f"exit {life.code}: {life.said()}")
            return False
        self.kills += 1
        now = self.stored()
        if missing := self._stored - now:
            self.faults.append(f"stored results are gone: {sorted(missing)[:5]}")
        self._stored = now
        return True

    def kill_at_random(self, chance: random.Random) -> bool:
        """At an instruction of its way, at a named point or at a moment."""
        how = chance.random()
        if how < 0.5:
            return self.kill_at("any", chance.choice((chance.randrange(1, 40), chance.randrange(1, 400))))
        if how < 0.8:
            return self.kill_at(chance.choice(self.shape.points), chance.randrange(1, 4))
        return self.kill_after(chance.uniform(0.02, 1.0))

    def finish(self) -> Verdict:
        """Run it to its end by the real command line, in a process that nobody prepared, and judge."""
        words = self.words
        ended = subprocess.run(
            [sys.executable, "-m", "batchtui", *words],
            env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=DEADLINE, check=False,
        )  # fmt: skip
        if ended.returncode:
            self.faults.append(f"{words[0]} exits {ended.returncode}: {ended.stderr[-1_000:]}")
        return self.judge()

    def command(self, *words: str) -> Life:
        """Another command, run to its end."""
        life = self.nursery.begin(words, self.env)
        life.wait()
        return life

    # ---- looking

    def store_ids(self) -> list[str]:
        """None before the batch was made."""
        return list(Library(self.data).ids())

    @property
    def store_id(self) -> str:
        (batch_id,) = self.store_ids()
        return batch_id

    @property
    def store(self) -> BatchFolder:
        return Library(self.data).open(self.store_id)

    def stored(self) -> Counter[str]:
        """How many whole results each job has in results.jsonl."""
        found: Counter[str] = Counter()
        for path in (self.data / "batches").glob("[!.]*/results.jsonl"):
            found.update(one.job_id for _, _, one in read_after(path, 0) if one is not None)
        return found

    def judge(self) -> Verdict:
        verdict = Verdict(kills=self.kills, faults=self.faults)
        if (count := len(self.store_ids())) != 1:
            verdict.faults.append(f"{count} batches in the store")
            return verdict
        self._judge_creates(verdict)
        self._judge_results(verdict)
        proof = self.command("fsck")
        verdict.damaged = int(proof.code != 0)
        if proof.code:
            verdict.faults.append(f"fsck exits {proof.code}: {proof.out.read_text()[-1_000:]}{proof.said()}")
        for name in ("twice", "lost", "doubled", "differs"):
            if count := getattr(verdict, name):
                verdict.faults.append(f"{count} {name}")
        return verdict

    def _judge_creates(self, verdict: Verdict) -> None:
        """By what the other side wrote down."""
        shape, status = self.shape, self.store.status(submissions=True)
        done = shape.done(self.folder, self.server)
        again = sum(count - 1 for count in done.values())
        verdict.creates = shape.creates(self.folder, self.server)
        verdict.unheard = shape.unheard(self.folder, self.server)
        verdict.lost += len(set(shape.ids) - set(done))
        if shape.direct:
            verdict.again, verdict.counted = again, status.maybe_twice
            if again > status.maybe_twice:
                verdict.faults.append(f"{again} jobs done again, {status.maybe_twice} counted")
            return
        verdict.twice = again
        if verdict.creates != len(status.submissions or []):
            verdict.faults.append(f"{verdict.creates} creates, {len(status.submissions or [])} submissions")

    def _judge_results(self, verdict: Verdict) -> None:
        shape, store, stored = self.shape, self.store, self.stored()
        status = store.status()
        if status.attention:
            verdict.faults.append(f"it asks: {status.attention[0].text}")
        verdict.lost += len(set(shape.ids) - set(stored))
        if not status.completed == status.total == shape.jobs:
            verdict.faults.append(f"{status.completed} of {status.total} completed, {shape.jobs} wanted")
        verdict.doubled = sum(count > 1 for count in stored.values())
        if self.unbroken is not None:
            told = dict(shape.told(store))
            verdict.differs = sum(told.get(one) != what for one, what in self.unbroken)
