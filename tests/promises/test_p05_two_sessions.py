"""P5: of any number of processes on one batch exactly one writes; the others say who, and the next takes over at once."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from batchtui.store.files import lock
from batchtui.store.files.lock import holder
from tests.promises.whole import figure
from tests.store.store_help import again, drive, finished, make, python

STARTS = 8
RACER = """
import sys, time
from pathlib import Path
from batchtui.errors import Locked
from batchtui.store.disk.commit import Committer
from batchtui.store.folder import BatchFolder
from batchtui.store.writer import BatchWriter
print("there", flush=True)
for line in sys.stdin:  # a folder and how long to hesitate; an empty line lets go
    if line == "\\n":
        if writer: writer.close()
        print("gone", flush=True)
        continue
    folder, hesitates = line.split()
    time.sleep(float(hesitates))
    try:
        writer = BatchWriter(BatchFolder(Path(folder)), Committer(), lambda _: None)
    except Locked:
        writer = None
    print("drives" if writer else "looks on", flush=True)
"""


def test_p5_of_eight_that_start_together_one_writes(tmp_path: Path) -> None:
    racers = [python(RACER) for _ in range(STARTS)]
    chance = random.Random(5)

    def all_say(lines: list[str]) -> list[str]:
        for racer, line in zip(racers, lines, strict=True):
            assert racer.stdin
            racer.stdin.write(line)
            racer.stdin.flush()
        return [racer.stdout.readline().strip() for racer in racers if racer.stdout]

    assert [racer.stdout.readline() for racer in racers if racer.stdout] == ["there\n"] * STARTS
    for race in range(figure(4, 20)):
        folder = make(tmp_path, name=f"race {race}")
        answers = all_say([f"{folder.path} {chance.uniform(0, 0.02):.4f}\n" for _ in racers])
        assert sorted(answers) == ["drives"] + ["looks on"] * (STARTS - 1), race
        assert (holder(folder.path) or "").startswith(f"pid {racers[answers.index('drives')].pid} on ")
        assert all_say(["\n"] * STARTS) == ["gone"] * STARTS
        drivers = [event for event in again(folder).events() if event["event"] == "driver"]
        assert len(drivers) == 1, race
    for racer in racers:
        finished(racer)


@pytest.mark.parametrize("attempt", range(3))
def test_p5_after_kill_9_another_takes_over_within_two_seconds(tmp_path: Path, attempt: int) -> None:
    """By this process's own time within the suite, where a busy machine would be taken for a slow program."""
    clock = (time.thread_time, time.monotonic)[figure(0, 1)]
    folder = make(tmp_path)
    first = python(RACER)
    assert first.stdin
    assert first.stdout
    first.stdin.write(f"{folder.path} 0\n")
    first.stdin.flush()
    assert [first.stdout.readline(), first.stdout.readline()] == ["there\n", "drives\n"]
    assert holder(folder.path)
    first.kill()
    first.communicate()
    begin = clock()
    writer = drive(again(folder))
    assert clock() - begin < 2.0
    writer.close()


def test_p5_the_record_of_a_host_that_died_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a machine leaves that lost its power, on a folder that several share: the record, and no lock."""
    folder = make(tmp_path)
    record = {"host": "elsewhere", "pid": 4121, "boot": "another", "since": "2026-11-21T07:00:00.000Z"}
    (folder.path / "holder.json").write_text(json.dumps(record | {"heartbeat": record["since"]}))
    (folder.path / "lock").touch()
    assert holder(folder.path) is None
    monkeypatch.setattr(lock.socket, "gethostname", lambda: "here")
    writer = drive(folder)
    assert (holder(folder.path) or "").endswith(" on here")
    assert json.loads((folder.path / "holder.json").read_bytes())["host"] == "here"
    writer.close()
    assert holder(folder.path) is None
