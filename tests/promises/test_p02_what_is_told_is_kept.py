"""P2: nothing acknowledged is lost: what a screen or a follower was told is saved, is in the store after the kill."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crashes.laboratory import Laboratory
from tests.crashes.shapes import SHAPES, Chat
from tests.crashes.trial import Trial
from tests.promises.whole import figure

pytestmark = pytest.mark.timeout(figure(600, 0))  # many processes, one after the other

SEED = 2


class Screen:
    """A terminal that keeps all that is written to it."""

    def __init__(self) -> None:
        self._mine, self._theirs = pty.openpty()
        self.name = os.ttyname(self._theirs)
        settings = termios.tcgetattr(self._theirs)
        settings[1] &= ~termios.OPOST
        termios.tcsetattr(self._theirs, termios.TCSANOW, settings)
        self._read: list[bytes] = []
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        while True:
            try:
                piece = os.read(self._mine, 65536)
            except OSError:  # nobody has the other end any more
                return
            self._read.append(piece)

    def close(self) -> list[int]:
        """How many jobs each of its lines said were done."""
        os.close(self._theirs)
        self._thread.join(10)
        os.close(self._mine)
        return [int(found) for found in re.findall(rb"(\d+) of \d+ done", b"".join(self._read))]


@pytest.mark.parametrize("kind", ["chat", "openai"])
def test_p2_every_row_that_the_progress_line_counted_is_stored(room: Laboratory, kind: str) -> None:
    chance = random.Random(SEED)
    kills, shown = 0, 0
    wanted = figure(6, 250)
    while kills < wanted:
        shape = Chat("chat", 300) if kind == "chat" else SHAPES[kind]
        # slow enough for a line to be written before the kill
        with room.trial(shape, chance.randrange(1000), more=",latency=40ms") as trial:
            while kills < wanted:
                screen = Screen()
                point, nth = chance.choice(("result.after", "result.middle", "any")), chance.randrange(20, 90)
                life = trial.begin(point, nth if kind == "chat" else nth // 8, err=screen.name)
                life.wait()
                told = screen.close()
                kept = trial.stored().total()
                assert max(told, default=0) <= kept, f"seed {SEED}, kill {kills}"
                assert trial.store_ids() == [] or trial.store.status().finished <= kept
                shown += bool(told)
                if not life.killed:
                    break
                kills += 1
    assert shown


@contextmanager
def watched(trial: Trial, told: list[int]) -> Iterator[None]:
    """`watch --json` of the batch meanwhile, in a process of its own."""
    words = [sys.executable, "-m", "batchtui", "watch", trial.store_id, "--json"]
    process = subprocess.Popen(
        words, env=trial.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )

    def read() -> None:
        assert process.stdout
        told.extend(json.loads(line)["completed"] for line in process.stdout)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield
    finally:
        process.kill()
        process.wait()
        thread.join(10)
        assert process.stdout
        process.stdout.close()


def test_p2_every_row_that_a_follower_was_told_of_is_stored(room: Laboratory, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with room.trial(Chat("chat", 400), SEED) as trial:
        assert trial.kill_at("result.after", 3)
        for number in range(figure(3, 100)):
            told: list[int] = []
            with watched(trial, told):
                killed = trial.kill_at("result.after", chance.randrange(30, 120))
            assert max(told, default=0) <= trial.stored().total(), f"seed {SEED}, kill {number}"
            if not killed:
                break
        assert not trial.finish().faults
