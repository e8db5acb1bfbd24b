"""Killed with signal 9 around every step of a submission, over a server that drops replies and commits late."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from tests.engine.victim import Victim

JOBS, SUBMISSIONS, KILLS = 2000, 20, 20


@pytest.mark.timeout(420)
def test_twenty_kills_submit_nothing_twice_and_lose_no_row(
    tmp_path: Path, demo_server: Callable[..., DemoServer]
) -> None:
    server = demo_server(faults="drop=0.2,late=2s,duration=1s,seed=5")
    server.write_config(tmp_path / "config.toml")
    source = tmp_path / "prompts.csv"
    source.write_text("id,text\n" + "".join(f"q{n},Question number {n}\n" for n in range(JOBS)))
    batch = tmp_path / "batch.toml"
    batch.write_text(
        'name = "kills"\nbackend = "openai"\n[source]\nfile = "prompts.csv"\n'
        '[job]\nmodel = "demo-small"\nprompt = "{{ text }}"\n'
        f"[limits]\njobs_per_submission = {JOBS // SUBMISSIONS}\nsubmissions_at_once = 4\n"
    )
    victim = Victim(tmp_path / "data", tmp_path / "config.toml")
    chance = random.Random(21)
    arguments: tuple[str, ...] = ("run", str(batch))
    kills = 0
    while kills < KILLS:
        before = victim.size("events.jsonl")
        step = chance.choice([1, 300, 600, 1_000, 2_000, 6_000])  # around intents, notes, remote ids, results
        killed = victim.kill_when(
            victim.start(*arguments),
            lambda before=before, step=step: victim.size("events.jsonl") > before + step,
        )
        if not killed:
            break
        kills += 1
        arguments = ("resume", victim.folder().id)
    assert kills >= KILLS // 2
    ended = victim.finish("resume", victim.folder().id, timeout=240)
    assert ended.returncode == 0, ended.stderr.decode()

    folder = victim.folder()
    status = folder.status(submissions=True)
    assert (status.completed, status.total) == (JOBS, JOBS)
    creates = [entry for entry in server.ledger() if entry["op"] == "create" and entry["status"] == 200]
    assert len(creates) == SUBMISSIONS == len(status.submissions or [])
    sent = Counter(job for entry in creates for job in entry["job_ids"])
    assert set(sent.values()) == {1}
    assert len(sent) == JOBS
    assert all(folder.result(n).raw_response for n in range(JOBS))
