"""P1: at most one paid submission a job, whenever the process is killed and whatever becomes of the server's replies.

The server loses replies, answers 5xx after the work was done and commits creates late; its ledger is the judge.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace

import pytest

from tests.crashes.laboratory import Laboratory, small
from tests.crashes.on_slurm import OnSlurm
from tests.crashes.shapes import REMOTE, SHAPES, usable
from tests.promises.whole import figure, in_the_laboratory

pytestmark = pytest.mark.timeout(figure(600, 0))  # many processes, one after the other

SEED = "p1"
KILLS = -(-figure(56, 500) // len(REMOTE))
KINDS = [REMOTE[0], *(pytest.param(kind, marks=in_the_laboratory) for kind in REMOTE[1:])]
SERVED = [kind for kind in REMOTE if kind != "slurm"]


@pytest.mark.parametrize("kind", KINDS)
def test_p1_killed_at_every_named_point(room: Laboratory, kind: str) -> None:
    shape = small(usable(kind))
    verdict = room.named(shape)
    assert not verdict.faults
    assert verdict.kills == len(shape.points)


@pytest.mark.parametrize("kind", KINDS)
def test_p1_killed_at_random(room: Laboratory, kind: str) -> None:
    verdict = room.randomly(usable(kind), KILLS, SEED)
    assert not verdict.faults, f"seed {SEED}"
    assert verdict.kills >= KILLS


@pytest.mark.parametrize("kind", SERVED[: figure(1, len(SERVED))])
def test_p1_a_create_that_comes_seconds_late_is_waited_for(room: Laboratory, kind: str) -> None:
    """Up to 5 s after it was asked for, by a server whose settle time is longer: nobody looks it up too early."""
    shape = small(SHAPES[kind]) if kind == "buttermilk" else replace(SHAPES[kind], jobs=6, each=2)
    with room.trial(shape, 3, "late=5s,duration=100ms") as trial:
        assert trial.kill_at("create.after", 3)
        verdict = trial.finish()
    assert not verdict.faults


@in_the_laboratory
def test_p1_an_array_that_comes_when_nobody_waits_for_it_any_more_does_nothing(room: Laboratory) -> None:
    """It was looked for, not found and made again, and only then it came: it sees that its jobs are taken."""
    usable("slurm")
    shape = OnSlurm("slurm", 4, 4, overtaken=True)
    with room.trial(shape, 1) as trial:
        assert trial.kill_at("underway.after")
        verdict = trial.finish()
        deadline = time.monotonic() + 60
        while shape.creates(trial.folder, trial.server) < 2 or subprocess.check_output(
            ("squeue", "-h"), env=trial.env
        ):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert shape.done(trial.folder, trial.server) == dict.fromkeys(shape.ids, 1)
    assert (verdict.twice, verdict.lost, verdict.doubled, verdict.damaged) == (0, 0, 0, 0)
