"""The disk refuses one call of a run, each in turn: the run goes on by itself, or leaves with words, and nothing is lost.

A batch of submissions is made and driven while its n-th write, fsync or rename below the data folder fails, for every
n and every fault. Where the batch could not even be made it is made again.
Run: python -m tests.crashes.disk_faults [SHARE [SEED]], all of them where nothing is said.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from batchtui.config import load_config
from batchtui.engine.shared import faults as engine_faults
from batchtui.errors import BatchtuiError
from batchtui.store.disk.lines import disk_words, is_disk
from batchtui.store.folder import BatchFolder
from tests.crashes.batch_service import BatchService
from tests.crashes.faulty_disk import FaultyDisk
from tests.engine.bench import Bench

ROWS = 6
FAULTS = {"write": ("ENOSPC", "EIO", "short"), "fsync": ("EIO",), "rename": ("EIO", "ENOSPC")}
NOT_NEEDED = ("holder.json", "contacts.json", "checkpoint.json")
"""What a batch goes on without: it is written once more, or made again."""


class Case(NamedTuple):
    call: str
    number: int
    fault: str


@dataclass
class Outcomes:
    went_on: int = 0
    left: Counter[str] = field(default_factory=Counter)
    """By what was said, batches that could not be made and were made again."""
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.went_on} went on by themselves, {self.left.total()} left with words, {len(self.faults)} faults"


class Rig:
    """Runs one case after the other, each in a data folder of its own."""

    def __init__(self, folder: Path, service: BatchService) -> None:
        self._folder, self._service, self._runs = folder, service, 0

    def run(self, case: Case, outcomes: Outcomes) -> FaultyDisk:
        self._runs += 1
        folder = self._folder / str(self._runs)
        folder.mkdir()
        self._service.forget()
        self._service.write_config(folder / "config.toml", delete_files=True)
        bench = Bench(folder, load_config(folder / "config.toml", env={}))
        disk = FaultyDisk(folder / "data", case.fault, case.call, case.number)
        try:
            with disk.inserted():
                made, said = self._driven(bench, outcomes)
        finally:
            bench.close()
        needed = disk.hit and not any(name in disk.hit for name in NOT_NEEDED)
        if made and needed:
            assert "the disk" in said, f"{disk.hit} failed, not told: {said}"
        assert "internal fault" not in said, said
        self._whole(BatchFolder(next(iter((folder / "data" / "batches").glob("[!.]*")))))
        return disk

    def _driven(self, bench: Bench, outcomes: Outcomes) -> tuple[bool, str]:
        """Whether it was made at once, and what was told while it was driven to its end."""
        job = {"model": "demo", "prompt": "{{ text }}", "max_tokens": 50}
        spec = bench.spec("openai", ROWS, job, jobs_per_submission=3, cost_usd=9.0)
        made = True
        try:
            folder = bench.create(spec)
        except (BatchtuiError, OSError) as fault:
            if not is_disk(fault) or str(bench.library.data_dir) not in disk_words(fault):
                raise
            outcomes.left[disk_words(fault).partition(": ")[0]] += 1
            made, folder = False, (self._kept(bench) or bench.create(spec))
        folder = bench.drive(folder.id)
        return made, "\n".join(line.text for line in bench.worker.log() if line.told or line.level == "error")

    def _kept(self, bench: Bench) -> BatchFolder | None:
        """A batch that stands there though it could not be said to last."""
        return next((bench.library.open(id_) for id_ in bench.library.ids()), None)

    def cases(self) -> list[Case]:
        """Every call that a run without faults makes, with every fault that it may meet."""
        counted = Counter(self.run(Case("write", 0, "EIO"), Outcomes()).calls)
        return [
            Case(call, number, fault)
            for call, faults in FAULTS.items()
            for number in range(1, counted[call] + 1)
            for fault in faults
        ]

    def judge(self, case: Case, outcomes: Outcomes) -> str:
        """The verdict, in words."""
        try:
            disk = self.run(case, outcomes)
        except Exception as fault:
            words = f"{' '.join(map(str, case))}: {type(fault).__name__}: {str(fault).strip()[-600:]}"
            outcomes.faults.append(words)
            return f"FAULT {words}"
        outcomes.went_on += 1
        where = Path(disk.hit).name if disk.hit else "it did not come to that"
        return f"holds {' '.join(map(str, case))}: {where}"

    def _whole(self, folder: BatchFolder) -> None:
        answers = [folder.result(n).raw_response for n in range(ROWS)]
        assert answers == [f"answer to text of row {n}" for n in range(ROWS)], answers
        made = self._service.times_made()
        assert set(made.values()) == {1}, f"made: {made}"
        assert len(made) == ROWS
        assert not folder.damage, folder.damage


def explore(
    folder: Path,
    *,
    share: float = 1.0,
    seed: int,
    most: int | None = None,
    told: Callable[[str], object] = lambda _: None,
) -> Outcomes:
    """`told` gets each verdict as it falls."""
    outcomes = Outcomes()
    with BatchService() as service, mock.patch.object(engine_faults, "PROBE_SECONDS", 0.2):
        rig = Rig(folder, service)
        cases = rig.cases()
        count = round(share * len(cases)) if most is None else most
        for case in sorted(random.Random(seed).sample(cases, min(count, len(cases)))):
            told(rig.judge(case, outcomes))
    return outcomes


def main() -> None:
    share = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = explore(Path(folder), share=share, seed=seed, told=partial(print, flush=True))
    for words, count in outcomes.left.most_common():
        print(f"{count:4} left: {words}")
    print(f"disk faults, seed {seed}: {outcomes} ({time.monotonic() - begin:.0f} s)")
    sys.exit(bool(outcomes.faults))


if __name__ == "__main__":
    main()
