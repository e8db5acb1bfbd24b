"""P15: the terminal hangs up, as where SSH is lost: what runs remotely runs on, and reopening shows the truth."""

from __future__ import annotations

import random
import signal
from dataclasses import replace

import pytest

from tests import daly_help
from tests.crashes.laboratory import Laboratory
from tests.crashes.shapes import SHAPES
from tests.crashes.trial import Trial
from tests.engine.bench import until
from tests.promises.whole import figure
from tests.terminal.terminals import Pty

pytestmark = pytest.mark.timeout(figure(600, 0))  # many processes, one after the other

SEED = 15
HUNG_UP = 128 + signal.SIGHUP


@pytest.mark.parametrize("kind", ["openai", "chat"])
def test_p15_hung_up_at_any_moment_nothing_is_lost_or_repeated(room: Laboratory, kind: str) -> None:
    chance, hung, wanted = random.Random(SEED), 0, figure(5, 20)
    shape = replace(SHAPES[kind], jobs=figure(60, 400)) if kind == "chat" else SHAPES[kind]
    while hung < wanted:
        with room.trial(shape, SEED + hung) as trial:
            while hung < wanted:
                number = chance.randrange(1, 60)
                life = trial.begin("any", number, number=signal.SIGHUP)
                code = life.wait()
                assert code in (0, HUNG_UP), f"seed {SEED}: exit {code}: {life.said()}"
                if code == 0:
                    break
                hung += 1
            assert not trial.finish().faults, f"seed {SEED}"


def test_p15_reopening_shows_the_truth_within_one_poll(room: Laboratory) -> None:
    shape = replace(SHAPES["daly"], jobs=3)
    with room.trial(shape, SEED, daly_help.SLOW) as trial:
        terminal = Pty(trial.env | {"TERM": "xterm"}, *trial.words)
        try:
            terminal.shown("3 processing", 60)
            until(lambda: _is_known(trial))  # each of them is there, and here it is known which it is
            terminal.hang_up()
            assert terminal.ended_unread(60) == HUNG_UP
        finally:
            terminal.close()
        daly_help.advance(trial.server, 2)  # it runs on, and ends
        calls = daly_help.service(trial.server).calls
        before = calls.get("list", 0) + calls.get("poll", 0)
        assert trial.begin().wait() == 0
        assert trial.store.status().completed == 3
        assert calls.get("list", 0) + calls.get("poll", 0) - before == 1
        assert not trial.judge().faults


def _is_known(trial: Trial) -> bool:
    submissions = trial.store.status(submissions=True).submissions or []
    return len(submissions) == 3 and all(one.remote_id for one in submissions)
