"""A batch that is killed with signal 9 around every step of its submissions, and what the ledger says of it after."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from batchtui.demo.server import DemoServer
from tests.engine.victim import Victim

FAULTS = "drop.create=0.2,drop.upload=0.1,late=250ms,duration=500ms,seed=5"
"""Replies that are lost after the work was done, and creates that are carried out late."""


def killed_batch(
    folder: Path, server: DemoServer, backend: str, *, jobs: int, submissions: int, kills: int, seed: int
) -> None:
    """Run a batch over `kills` kills to its end; asserts that nothing was submitted twice and no row lost."""
    server.write_config(folder / "config.toml")
    rows = "".join(f"q{n},Question number {n}\n" for n in range(jobs))
    (folder / "prompts.csv").write_text(f"id,text\n{rows}")
    batch = folder / "batch.toml"
    batch.write_text(
        f'name = "kills"\nbackend = "{backend}"\n[source]\nfile = "prompts.csv"\n'
        '[job]\nmodel = "demo-small"\nprompt = "{{ text }}"\n'
        f"[limits]\njobs_per_submission = {jobs // submissions}\nsubmissions_at_once = 4\n"
    )
    victim = Victim(folder / "data", folder / "config.toml")
    chance = random.Random(seed)
    arguments: tuple[str, ...] = ("run", str(batch))
    done = 0
    while done < kills:
        before = victim.size("events.jsonl")
        step = chance.choice([1, 300, 600, 1_000, 2_000, 4_000])  # around intents, notes, remote ids, results
        killed = victim.kill_when(
            victim.start(*arguments),
            lambda before=before, step=step: victim.size("events.jsonl") > before + step,
        )
        if not killed:
            break
        done += 1
        arguments = ("resume", victim.folder().id)
    assert done >= kills - 1
    ended = victim.finish("resume", victim.folder().id)
    assert ended.returncode == 0, ended.stderr.decode()
    _nothing_twice_nothing_lost(victim, server, jobs, submissions)


def _nothing_twice_nothing_lost(victim: Victim, server: DemoServer, jobs: int, submissions: int) -> None:
    folder = victim.folder()
    status = folder.status(submissions=True)
    assert (status.completed, status.total) == (jobs, jobs)
    creates = [entry for entry in server.ledger() if entry["op"] == "create" and entry["status"] == 200]
    assert len(creates) == submissions == len(status.submissions or [])
    sent = Counter(job for entry in creates for job in entry["job_ids"])
    assert set(sent.values()) == {1}
    assert set(sent) == {f"q{n}" for n in range(jobs)}
    assert all(folder.result(n).raw_response for n in range(jobs))
