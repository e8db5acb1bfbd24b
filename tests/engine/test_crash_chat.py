"""Killed with signal 9, again and again, in the middle of a chat batch: nothing stored is sent again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from batchtui.model import JobState
from tests.engine.crash import prompts
from tests.engine.victim import Victim

JOBS, KILLS, CONCURRENCY = 2000, 20, 8


@pytest.mark.timeout(240)
def test_twenty_kills_lose_nothing_and_repeat_no_stored_job(
    tmp_path: Path, demo_server: Callable[..., DemoServer]
) -> None:
    server = demo_server(faults="latency=4ms")
    batch = prompts(tmp_path, server, "chat", JOBS, f"concurrency = {CONCURRENCY}")
    victim = Victim(tmp_path / "data", tmp_path / "config.toml")
    chance = random.Random(20)
    kept_at_kills: list[tuple[int, set[str]]] = []
    kills = victim.kill_often(
        batch,
        KILLS,
        grows="results.jsonl",
        steps=lambda: chance.randrange(2_000, 45_000),
        after=lambda: kept_at_kills.append((len(server.ledger()), victim.stored_ids())),
    )
    assert kills == KILLS, "the batch ended before it could be killed often enough"
    folder = victim.resume()
    status = folder.status()
    assert (status.completed, status.total) == (JOBS, JOBS)
    sent = [
        entry["job_ids"][0] for entry in server.ledger() if entry["op"] == "chat" and entry["status"] == 200
    ]
    times = Counter(sent)
    assert set(times) == {f"q{n}" for n in range(JOBS)}
    for ledger_length, stored in kept_at_kills:
        again = {entry["job_ids"][0] for entry in server.ledger()[ledger_length:]} & stored
        # A request that was under way at the kill may reach the ledger just after it was read.
        assert not again, f"stored results were sent again: {sorted(again)[:5]}"
    twice = sum(count - 1 for count in times.values())
    assert twice <= KILLS * CONCURRENCY
    assert twice <= status.maybe_twice <= KILLS * CONCURRENCY
    counting = [folder.result(n) for n in range(JOBS)]
    assert all(result.status is JobState.COMPLETED and result.raw_response for result in counting)
    assert len({result.job_id for result in counting}) == JOBS
