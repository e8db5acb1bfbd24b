"""Ranges of numbers, times, the fsync thread."""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from pathlib import Path

import pytest

from batchtui.store.disk import clock, commit, ranges
from batchtui.store.disk.commit import Committer
from batchtui.store.disk.lines import AppendFile, read_slices
from tests.store.store_help import drive, make


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([], ""), ([0], "0"), ([0, 1, 2], "0-2"), ([5, 7, 8, 12], "5,7-8,12"), (range(100_000), "0-99999")],
)
def test_ranges(numbers: list[int], text: str) -> None:
    assert ranges.encode(numbers) == text
    assert list(ranges.decode(text)) == list(numbers)
    assert ranges.count(text) == len(numbers)


def test_any_set_of_numbers_comes_back() -> None:
    rng = random.Random(1)
    for _ in range(500):
        numbers = sorted(rng.sample(range(200), rng.randrange(200)))
        text = ranges.encode(numbers)
        assert list(ranges.decode(text)) == numbers
        assert ranges.count(text) == len(numbers)


@pytest.mark.parametrize("text", ["x", "1-", "1-x", ",", "1,,2"])
def test_ranges_that_make_no_sense(text: str) -> None:
    if text == "1-":
        assert list(ranges.decode(text)) == [1]
    else:
        with pytest.raises(ValueError, match="invalid literal"):
            list(ranges.decode(text))


def test_times_are_utc_whatever_the_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    for zone in ("UTC", "Asia/Kolkata", "America/New_York"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert clock.stamp(0) == "1970-01-01T00:00:00.000Z"
        assert clock.stamp(2**31 + 0.25) == "2038-01-19T03:14:08.250Z"
        for unix in (0.0, 1_774_750_000.125, 2**31 + 0.5, 4_102_444_800.0):
            assert clock.unix(clock.stamp(unix)) == unix
        assert abs(clock.unix(clock.now()) - time.time()) < 5
    monkeypatch.delenv("TZ")
    time.tzset()
    with pytest.raises(ValueError, match="yesterday"):
        clock.unix("yesterday")


def test_lines_split_on_newline_alone(tmp_path: Path) -> None:
    odd = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\r".encode()
    (tmp_path / "x").write_bytes(odd + b"\n\n" + odd + b"\ntorn")
    assert list(read_slices(tmp_path / "x")) == [(0, [odd, b"", odd])]
    assert list(read_slices(tmp_path / "missing")) == []


def test_slices_meet_at_line_ends(tmp_path: Path) -> None:
    lines = [bytes((65 + n % 26,)) * (n * 4099 % 90_000) for n in range(100)]
    (tmp_path / "x").write_bytes(b"".join(line + b"\n" for line in lines))
    found, at = [], 0
    for offset, part in read_slices(tmp_path / "x"):
        assert offset == at
        at += sum(len(line) + 1 for line in part)
        found += part
    assert found == lines


class _Slow(AppendFile):
    """Says when it is synced; may fail."""

    fault: OSError | None = None

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.synced = threading.Event()
        self.count = 0

    def sync(self) -> None:
        self.count += 1
        self.synced.set()
        if self.fault:
            raise self.fault
        super().sync()


def test_now_waits_for_the_disk_and_tells_its_fault(tmp_path: Path) -> None:
    faults: list[OSError] = []
    committer = Committer(faults.append)
    good, bad = _Slow(tmp_path / "good"), _Slow(tmp_path / "bad")
    bad.fault = OSError(5, "no disk")
    committer.now(good).result(timeout=5)
    assert good.count == 1
    with pytest.raises(OSError, match="no disk"):
        committer.now(good, bad).result(timeout=5)
    committer.soon(bad)
    committer.stop()
    assert len(faults) == 1


@pytest.mark.parametrize("lines", [1, 3])
def test_what_is_recorded_durably_is_synced_before_it_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: int
) -> None:
    """One call of the system for the results, so that no journal points past them, and one for the journal."""
    synced: list[tuple[int, int]] = []
    really = os.fsync

    def fsync(fd: int) -> None:
        really(fd)
        synced.append((os.fstat(fd).st_ino, os.fstat(fd).st_size))

    folder = make(tmp_path)
    writer = drive(folder)
    monkeypatch.setattr(commit, "GROUP_SECONDS", 3600.0)  # nothing is committed that nobody waits for
    monkeypatch.setattr(os, "fsync", fsync)
    results, journal = (folder.path / name for name in ("results.jsonl", "events.jsonl"))

    async def record() -> None:
        for n in range(lines):
            await writer.record_durably("intent", sub=n, backend="b", token=f"t{n}", jobs=str(n))
            assert synced[-1] == (journal.stat().st_ino, journal.stat().st_size)

    asyncio.run(record())
    inodes = [inode for inode, _ in synced]
    assert inodes.count(journal.stat().st_ino) == inodes.count(results.stat().st_ino) == lines
    writer.close()


def test_soon_groups(tmp_path: Path) -> None:
    committer = Committer()
    file = _Slow(tmp_path / "file")
    for _ in range(500):
        committer.soon(file)
    assert file.synced.wait(5)
    committer.stop()
    assert file.count <= 5


def test_a_waiter_that_gave_up_does_not_stop_the_others(tmp_path: Path) -> None:
    committer = Committer()
    file = _Slow(tmp_path / "file")
    for _ in range(20):
        given_up, waiting = committer.now(file), committer.now(file)
        given_up.cancel()
        waiting.result(timeout=5)
    committer.stop()


def test_a_file_closed_meanwhile_is_passed_over(tmp_path: Path) -> None:
    committer = Committer()
    closed, open_ = AppendFile(tmp_path / "closed"), _Slow(tmp_path / "open")
    committer.soon(closed)
    closed.close()
    committer.now(closed, open_).result(timeout=5)
    committer.stop()
    assert open_.count == 1
