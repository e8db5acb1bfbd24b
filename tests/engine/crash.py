"""A batch that is killed with signal 9 around every step of its submissions, and what the ledger says of it after."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from batchtui.demo.server import DemoServer
from tests.engine.victim import Victim

FAULTS = "drop.create=0.2,drop.upload=0.1,late=250ms,duration=500ms,seed=5"
"""Replies that are lost after the work was done, and creates that are carried out late."""
STEPS = (1, 300, 600, 1_000, 2_000, 4_000)
"""Bytes of the journal from one kill to the next: around intents, notes, remote ids and results."""


def prompts(folder: Path, server: DemoServer, backend: str, jobs: int, limits: str) -> Path:
    """A batch file of `jobs` prompts (ids q0, q1, …) for a backend of the server, and the config beside it."""
    server.write_config(folder / "config.toml")
    rows = "".join(f"q{n},Question number {n}\n" for n in range(jobs))
    (folder / "prompts.csv").write_text(f"id,text\n{rows}")
    batch = folder / "batch.toml"
    batch.write_text(
        f'name = "kills"\nbackend = "{backend}"\n[source]\nfile = "prompts.csv"\n'
        f'[job]\nmodel = "demo-small"\nprompt = "{{{{ text }}}}"\n[limits]\n{limits}\n'
    )
    return batch


def killed_batch(
    folder: Path,
    server: DemoServer,
    backend: str,
    *,
    jobs: int,
    submissions: int,
    kills: int,
    seed: int,
    least: int | None = None,
    steps: Sequence[int] = STEPS,
    timeout: float = 120,
) -> None:
    """Run a batch over `kills` kills (`least`: all but one) to its end, which may take `timeout` seconds.

    Asserts that nothing was submitted twice and no row lost.
    """
    limits = f"jobs_per_submission = {jobs // submissions}\nsubmissions_at_once = 4"
    batch = prompts(folder, server, backend, jobs, limits)
    victim = Victim(folder / "data", folder / "config.toml")
    chance = random.Random(seed)
    done = victim.kill_often(batch, kills, steps=lambda: chance.choice(steps))
    assert done >= (kills - 1 if least is None else least)
    victim.resume(timeout)
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
