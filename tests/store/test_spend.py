"""spend.jsonl: facts set absolutely, so that nothing counts twice whoever dies when."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batchtui.errors import StoreDamaged
from batchtui.store.files import spend
from batchtui.store.files.spend import Claim, SpendFile

DAY = "2026-11-21"


class Clock:
    def __init__(self) -> None:
        self.day = DAY

    def __call__(self) -> str:
        return f"{self.day}T12:00:00.000Z"


def file(folder: Path, clock: Clock | None = None) -> SpendFile:
    return SpendFile(folder, clock or Clock())


def put(spending: SpendFile, batch: str, total: int, **claims: Claim | None) -> None:
    with spending.held() as held:
        held.put(batch, total, claims)


def test_what_is_written_twice_counts_once(tmp_path: Path) -> None:
    ours, theirs = file(tmp_path), file(tmp_path)
    for _ in range(2):
        put(ours, "one", 5, a=Claim(100), b=Claim(20))
    put(theirs, "two", 0, a=Claim(7))
    ledger = ours.read()
    assert (ledger.claimed(), ledger.spent_on(DAY)) == (127, 5)
    put(theirs, "one", 30, a=None)
    put(theirs, "one", 30, a=None)
    assert (ours.read().claimed(), ours.read().spent_on(DAY)) == (27, 30)
    assert oct((tmp_path / "spend.jsonl").stat().st_mode)[-3:] == "600"


def test_a_new_day_takes_only_what_the_earlier_ones_did_not(tmp_path: Path) -> None:
    clock = Clock()
    spending = file(tmp_path, clock)
    put(spending, "one", 100)
    before = spending.stamp()
    clock.day = "2026-11-22"
    assert spending.stamp() != before
    put(spending, "one", 130, s=Claim(9))
    ledger = file(tmp_path, clock).read()
    assert (ledger.spent_on(DAY), ledger.spent_on("2026-11-22"), ledger.claimed()) == (100, 30, 9)


def test_a_torn_line_was_never_relied_on(tmp_path: Path) -> None:
    spending = file(tmp_path)
    put(spending, "one", 1, a=Claim(50))
    path = tmp_path / "spend.jsonl"
    with path.open("ab") as out:
        out.write(b'{"batch":"one","day":"2026-11-21","spent":99,"cla')
    put(spending, "one", 2, b=Claim(3))
    ledger = file(tmp_path).read()
    assert (ledger.claimed(), ledger.spent_on(DAY)) == (53, 2)
    with path.open("ab") as out:
        out.write(b"\0\0\0\n[]\n\xff\xfe\n")
    put(spending, "one", 4)
    assert file(tmp_path).read().spent_on(DAY) == spending.read().spent_on(DAY) == 4


def test_compacting_keeps_every_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    ours, theirs = file(tmp_path, clock), file(tmp_path, clock)
    put(ours, "one", 10, a=Claim(1, "pool", 5))
    ours.read()
    with theirs.held() as held:
        held.learn("pool", 900)
    clock.day = "2026-11-22"
    put(ours, "one", 25)
    monkeypatch.setattr(spend, "COMPACT_BYTES", 10)
    put(theirs, "two", 8)
    lines = (tmp_path / "spend.jsonl").read_bytes().count(b"\n")
    assert lines == 5
    for reader in (ours, theirs, file(tmp_path, clock)):
        ledger = reader.read()
        assert (ledger.spent_on("2026-11-22"), ledger.claimed(), ledger.queued("pool")) == (23, 1, 5)
        assert ledger.pools == {"pool": 900}
    monkeypatch.undo()
    put(ours, "one", 40)  # 25 were spent before, on whichever days
    assert file(tmp_path, clock).read().spent_on("2026-11-22") == 38


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "spend.jsonl").write_text('{"schema":2}\n')
    with pytest.raises(StoreDamaged, match="newer"):
        put(file(tmp_path), "one", 1)
    assert (tmp_path / "spend.jsonl").read_text() == '{"schema":2}\n'


def test_what_failed_to_be_written_is_forgotten(tmp_path: Path) -> None:
    spending = file(tmp_path)
    put(spending, "one", 1, a=Claim(5))

    def fail() -> None:
        with spending.held() as held:
            held.put("one", 9, {"a": None})
            raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        fail()
    assert (spending.read().claimed(), spending.read().spent_on(DAY)) == (5, 1)


WRITER = """
import sys
from pathlib import Path
from batchtui.store.files.spend import Claim, SpendFile
spending, name, limit = SpendFile(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
for n in range(10_000):
    with spending.held() as held:
        if held.ledger.claimed() + 10 <= limit:
            held.put(name, n, {str(n): Claim(10)})
    if n % 3 == 2:
        with spending.held() as held:
            held.put(name, n, {str(n - 2): None})
    print(n, flush=True)
"""


def test_two_processes_and_kills_never_pass_the_limit(tmp_path: Path) -> None:
    limit, killed = 35, 0
    for _ in range(4):
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(tmp_path), name, str(limit)], stdout=subprocess.PIPE
            )
            for name in ("one", "two")
        ]
        for process in processes:
            assert process.stdout
            process.stdout.readline()
        time.sleep(0.1)  # somewhere in the middle of it
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
    ledger = spend.Ledger()
    path = tmp_path / "spend.jsonl"
    for line in path.read_bytes().split(b"\n"):
        try:
            ledger.apply(spend.msgspec.json.decode(line, type=spend.SpendLine))
        except spend.msgspec.DecodeError:
            continue
        assert ledger.claimed() <= limit
    assert killed == 8
    assert path.read_bytes().count(b"\n") > 20
    assert file(tmp_path).read().claimed() == ledger.claimed()
