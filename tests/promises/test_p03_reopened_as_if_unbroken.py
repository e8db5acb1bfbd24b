"""P3: reopened after a kill it comes to what an unbroken run comes to, and asks nothing that the backend can answer."""

from __future__ import annotations

import re

import pytest

from tests.crashes.laboratory import Laboratory
from tests.crashes.shapes import SHAPES, Described, usable
from tests.promises.whole import figure

pytestmark = pytest.mark.timeout(figure(600, 0))  # many processes, one after the other

SEED = "p3"
SOME = ("chat", "command", "call", "gat")
"""What is done here or call by call; what is sent as a whole is killed often enough for P1, and compared as well."""
KINDS = (SOME, tuple(SHAPES))[figure(0, 1)]


@pytest.mark.parametrize("kind", KINDS)
def test_p3_killed_at_random_it_ends_as_an_unbroken_run(room: Laboratory, kind: str) -> None:
    kills = -(-figure(44, 500) // len(KINDS))
    verdict = room.randomly(usable(kind), kills, SEED)
    assert not verdict.faults, f"seed {SEED}"
    assert verdict.kills >= kills


class Unasked(Described):
    """A service that cannot be asked what was made there."""

    def prepare(self, folder, server):  # type: ignore[no-untyped-def]
        batch = super().prepare(folder, server)
        config = folder / "config.toml"
        text = config.read_text()
        config.write_text(re.sub(r"(?ms)^\[backends\.rest\.find.*\Z", "", text))
        assert config.read_text() != text
        return batch


def test_p3_where_nobody_can_be_asked_there_is_one_clear_question(room: Laboratory) -> None:
    with room.trial(Unasked("rest", 1), 1, "duration=100ms") as trial:
        assert trial.kill_at("create.after")
        life = trial.begin()
        assert life.wait() == 1
        (question,) = trial.store.status().attention
        assert question.kind == "unsure"
        assert list(question.actions) == ["resend", "adopt", "abandon"]
        assert life.said().count("submission 1 may have been made") == 1
        assert trial.command("resolve", trial.store_id, "--submission", "1", "resend").code == 0
        trial.begin().wait()
        status = trial.store.status()
        assert (status.completed, status.attention) == (1, [])
