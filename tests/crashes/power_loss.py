"""The power fails at any step of a run: what was not fsynced is gone, and still nothing is lost or made twice.

A real process is watched by strace; its disk is built again as it may look after a cut at many of its steps, opened,
and for some of them driven to the end, over a service that stands where it stood at that step.
Run: python -m tests.crashes.power_loss [CUTS [RUNS [SEED]]], 1000 and 60 where nothing is said.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from batchtui.backends.file_batches.objects import TOKEN_KEY
from batchtui.config import load_config
from batchtui.engine.shared.pool import Backends
from batchtui.engine.worker import Worker
from batchtui.errors import StoreDamaged
from batchtui.model import UNSENT, BatchState, JobState, SubmissionState
from batchtui.store import home
from batchtui.store.disk import ranges
from batchtui.store.disk.commit import Committer
from batchtui.store.folder import BatchFolder
from batchtui.store.health.proof import prove
from batchtui.store.health.repair import repair
from batchtui.store.library import Library
from batchtui.store.writer import BatchWriter
from tests.crashes import disk_log
from tests.crashes.batch_service import TOKEN, Batch, BatchService
from tests.crashes.disk_log import Step
from tests.crashes.disk_model import BYTES, NAMES, Disk

ROWS, OF_EACH, LOCAL_ROWS = 24, 4, 6


@dataclass
class Recorded:
    """A run that went well, step by step, and what the service held at its end."""

    root: Path
    config: Path
    service: BatchService
    steps: list[Step]
    files: dict[str, bytes]
    batches: dict[str, Batch]

    def send_back(self, steps: list[Step], chance: random.Random) -> set[str]:
        """Have the service stand where these steps leave it; the tokens that it was sent by then.

        What was under way may have been done already or not.
        """
        sent = b"".join(step.data for step in steps if step.kind == "send")
        written = b"".join(step.data for step in steps if step.kind == "write")
        creates = [part for part in sent.split(b"POST ") if TOKEN_KEY.encode() in part]
        tokens = {found.group().decode() for part in creates for found in TOKEN.finditer(part)}
        known = {b.token for b in self.batches.values() if f'"{b.id}"'.encode() in written}
        made = {token for token in tokens if token in known or chance.random() < 0.7}
        deleted = {part.split(b" ")[0].decode() for part in sent.split(b"DELETE /v1/files/")[1:]}
        left = {id_: data for id_, data in self.files.items() if id_ not in deleted}
        self.service.stand_at(made, left, self.batches)
        return tokens


@dataclass
class Found:
    """What cuts came to."""

    cuts: int = 0
    repaired: int = 0
    followed: int = 0
    """Repaired ones that send nothing until a person says so: what they sent can no longer be told."""
    again: int = 0
    """Jobs of programs whose torn result was told of, and that are to be run again."""
    runs: int = 0
    faults: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.seen.items()))
        return (
            f"{self.cuts} cuts ({states}), {self.repaired} repaired, of those {self.followed} only follow and "
            f"{self.again} jobs of programs run again, {self.runs} driven to the end: "
            f"{len(self.faults)} faults"
        )


@contextlib.contextmanager
def recorded(folder: Path) -> Iterator[Recorded]:
    """Watch a batch of submissions, then one of programs, each to its end."""
    root, log = folder / "disk", folder / "strace"
    root.mkdir()
    with BatchService() as service:
        config = folder / "config.toml"
        service.write_config(config, delete_files=True)
        steps: list[Step] = []
        for batch in (_prompts(folder, root), _programs(folder)):
            command = [sys.executable, "-m", "batchtui", "run", str(batch), "--yes", "--trust", "--no-input"]
            watched = subprocess.run(
                disk_log.traced(log, command), env=_environment(root, config), capture_output=True, timeout=120,
                stdin=subprocess.DEVNULL, check=False,
            )  # fmt: skip
            assert watched.returncode == 0, watched.stderr.decode()
            steps += disk_log.read(log, root)
        with _as_on_one_disk():
            files = {**service.files, **{id_: data for id_, data in service.deleted.items() if data}}
            yield Recorded(root, config, service, steps, files, dict(service.batches))


def _prompts(folder: Path, root: Path) -> Path:
    rows = "".join(f"q{n},question {n}\n" for n in range(ROWS))
    (folder / "prompts.csv").write_text(f"id,text\n{rows}")
    batch = folder / "prompts.toml"
    batch.write_text(
        f'name = "prompts"\nbackend = "openai"\n[source]\nfile = "prompts.csv"\n[job]\nmodel = "demo"\n'
        f'prompt = "{{{{ text }}}}"\n[limits]\njobs_per_submission = {OF_EACH}\nsubmissions_at_once = 3\n'
        f'cost_usd = 50.0\n[output]\ndir = "{root}/out"\n'
    )
    return batch


def _programs(folder: Path) -> Path:
    (folder / "programs.csv").write_text("id\n" + "".join(f"p{n}\n" for n in range(LOCAL_ROWS)))
    batch = folder / "programs.toml"
    batch.write_text(
        'name = "programs"\nbackend = "local"\n[source]\nfile = "programs.csv"\n'
        '[job]\ncommand = ["echo", "{{ id }}"]\n[limits]\nconcurrency = 2\n'
    )
    return batch


def _environment(root: Path, config: Path) -> dict[str, str]:
    own = {
        "BATCHTUI_DATA_DIR": str(root / "data"),
        "BATCHTUI_STATE_DIR": str(root / "state"),
        "BATCHTUI_CONFIG": str(config),
    }
    return {key: value for key, value in os.environ.items() if not key.startswith("BATCHTUI_")} | own


@contextlib.contextmanager
def _as_on_one_disk() -> Iterator[None]:
    """A disk that was built again holds other files than the first, as a copy does: here they count as the same."""
    with mock.patch.object(home, "is_at", return_value=True):
        yield


def explore(run: Recorded, folder: Path, *, cuts: int, runs: int, seed: int) -> Found:
    """Cut at so many steps, the last one with them, and drive what `runs` of them left to the end."""
    chance, found = random.Random(seed), Found()
    last = len(run.steps)
    at = sorted([last] * len(BYTES) + [chance.randint(1, last) for _ in range(cuts - len(BYTES))])
    driven = set(chance.sample(range(len(at)), min(runs, len(at))))
    disk, done = Disk(run.root), 0
    for number, step in enumerate(at):
        while done < step:
            if run.steps[done].kind != "send":
                disk.take(run.steps[done])
            done += 1
        how, names = chance.choice(BYTES), chance.choice(NAMES)
        target = folder / "cut"
        disk.cut(target, how, names, chance)
        tokens = run.send_back(run.steps[:step], chance)
        with mock.patch.dict(os.environ, {"BATCHTUI_STATE_DIR": str(target / "state")}):
            try:
                looked = Looked(run, target, tokens, over=step == last)
                looked.open(found)
                if number in driven:
                    looked.drive(found)
            except Exception as fault:
                place = f"cut {number} at step {step} of {last} ({run.steps[step - 1].kind}), bytes {how}, names {names}"
                found.faults.append(f"{place}: {type(fault).__name__}: {fault}")
        found.cuts += 1
        shutil.rmtree(target, ignore_errors=True)
    return found


class Looked:
    """What one cut left. `tokens` were sent before it; `over`: after all that a person was told."""

    def __init__(self, run: Recorded, target: Path, tokens: set[str], *, over: bool) -> None:
        self._run, self._tokens, self._over = run, tokens, over
        self._library = Library(target / "data")
        self._known: set[str] = set()
        self._followed = False

    def open(self, found: Found) -> None:
        """Each batch can be opened, at most after a repair, is sound then, and knows of all that was sent."""
        for batch_id in self._library.ids():
            folder, repaired = self._opened(batch_id, found)
            found.seen[folder.state().value] += 1
            if folder.header.follows:
                assert repaired, folder.header.follows
                found.followed += 1
                self._followed = True
            self._sends_nothing_again(folder)
            for n in range(folder.progress.total):
                self._keeps_or_finds(folder, n, found)
            if self._over:
                assert folder.state() is BatchState.COMPLETED, folder.state()
                assert folder.progress.ended
        assert self._tokens <= self._known, f"sent, and unknown: {self._tokens - self._known}"
        if self._over:
            assert len(self._library.ids()) == 2

    def _opened(self, batch_id: str, found: Found) -> tuple[BatchFolder, bool]:
        """The batch, once whoever drives it next has opened it; and whether that took a repair."""
        path = self._library.path(batch_id)
        with contextlib.suppress(StoreDamaged):
            self._drive_and_let_go(batch_id)
        repaired = not prove(path).sound
        if repaired:
            repair(path)
            found.repaired += 1
            self._drive_and_let_go(batch_id)
        proof = prove(path)
        assert proof.sound, list(map(str, proof.faults))
        return self._library.open(batch_id), repaired

    def _drive_and_let_go(self, batch_id: str) -> None:
        committer = Committer()
        try:
            BatchWriter(self._library.open(batch_id), committer, lambda _: None).close()
        finally:
            committer.stop()

    def _sends_nothing_again(self, folder: BatchFolder) -> None:
        for record in folder.progress.submissions.values():
            self._known.add(record.token)
            if record.token in self._tokens:
                assert record.state not in UNSENT, f"submission {record.id} would be sent again"

    def _keeps_or_finds(self, folder: BatchFolder, n: int, found: Found) -> None:
        result = folder.result(n)
        if result.error_kind == "damaged" and not folder.header.remote:
            assert not self._over
            found.again += 1
            return
        if result.status is JobState.COMPLETED:
            words = f"answer to question {n}" if folder.header.remote else f"p{n}"
            said = str(result.raw_response or result.output)
            assert words in said, f"job {n}: {said}"
            return
        assert result.status in (JobState.PENDING, JobState.PROCESSING), f"job {n}: {result.error}"
        for record in folder.progress.submissions.values():
            if n in ranges.decode(record.jobs) and record.remote_id:
                assert record.state is not SubmissionState.COLLECTED, f"job {n} was lost"
                there = self._run.service.batches.get(record.remote_id)
                assert there is None or f"out-{there.id}" in self._run.service.files, f"job {n} is gone"

    def drive(self, found: Found) -> None:
        """To the end, by the same service."""
        config = load_config(self._run.config, env={})
        worker = Worker(self._library, Backends(config, env={}), drive_all=True)
        worker.start()
        try:
            ids = set(self._library.ids())
            for batch_id in ids:
                worker.drive(batch_id)
            said = [line.text for line in worker.log()]
            assert worker.wait(ids, 60), said[-8:]
            for batch_id in ids:
                folder = worker.folder(batch_id) or self._library.open(batch_id)
                status = folder.status()
                whole = status.completed + (0 if folder.header.remote else status.failed)
                assert whole == status.total or folder.header.follows, (status, said[-8:])
        finally:
            worker.stop()
        made = self._run.service.times_made()
        assert set(made.values()) <= {1}, f"made twice: {made}"
        if not self._followed and any(self._library.open(batch_id).header.remote for batch_id in ids):
            assert len(made) == ROWS, f"{len(made)} of {ROWS} made"
        found.runs += 1


def main() -> None:
    numbers = [int(number) for number in sys.argv[1:]]
    cuts, runs, seed = (*numbers, *(1000, 60, 7)[len(numbers) :])
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, recorded(Path(folder)) as run:
        found = explore(run, Path(folder), cuts=cuts, runs=runs, seed=seed)
    for fault in found.faults:
        print(fault)
    print(f"power loss, seed {seed}, {len(run.steps)} steps: {found} ({time.monotonic() - begin:.0f} s)")
    sys.exit(bool(found.faults))


if __name__ == "__main__":
    main()
