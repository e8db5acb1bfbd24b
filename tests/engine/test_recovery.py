"""A submission that may have been made is looked up for as long as its server may still be making it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from batchtui.demo.server import DemoServer
from tests.engine.bench import Bench
from tests.engine.test_remote import JOB, creates

Served = Callable[..., tuple[Bench, DemoServer]]


@pytest.mark.parametrize("kind", ["openai", "gemini", "mistral", "together"])
def test_what_is_made_after_its_reply_was_lost_is_found_and_not_made_again(served: Served, kind: str) -> None:
    """The first look comes too early and finds nothing, which proves nothing yet."""
    bench, server = served("drop.create=1,late=500ms,duration=100ms")
    folder = bench.run(bench.spec(kind, 3, JOB))
    assert folder.status().completed == 3
    assert len(creates(server)) == 1
    events = [event["event"] for event in folder.events()]
    assert "unsure" in events
    assert "waiting" not in events
