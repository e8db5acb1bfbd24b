"""Killed with signal 9 while programs run: no two processes of one job ever overlap."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.engine.victim import Victim

JOBS, KILLS, CONCURRENCY = 150, 20, 6
OVERLAP = 99


@pytest.mark.timeout(240)
def test_twenty_kills_and_no_two_processes_of_one_job(tmp_path: Path) -> None:
    locks = tmp_path / "locks"
    locks.mkdir()
    source = tmp_path / "jobs.csv"
    source.write_text("id\n" + "".join(f"j{n}\n" for n in range(JOBS)))
    batch = tmp_path / "batch.toml"
    # `flock` holds a lock of the job's own for as long as its sleep lives, and fails with 99 where one is held.
    batch.write_text(
        'name = "sleeps"\nbackend = "local"\n[source]\nfile = "jobs.csv"\n[job]\n'
        f'command = ["flock", "-n", "-E", "{OVERLAP}", "{locks}/{{{{ id }}}}", "sleep", "0.3"]\n'
        f"[limits]\nconcurrency = {CONCURRENCY}\n"
    )
    victim = Victim(tmp_path / "data")
    chance = random.Random(22)
    assert victim.kill_often(batch, KILLS, steps=lambda: chance.randrange(1, 2_500)) == KILLS
    ended = victim.finish("resume", victim.folder().id)
    folder = victim.folder()
    codes = {folder.result(n).output["exit_code"] for n in range(JOBS)}
    assert codes == {0}, "a job's process started while an earlier one of the same job lived"
    assert ended.returncode == 0
    assert folder.status().completed == JOBS
    assert folder.status().maybe_twice <= KILLS * CONCURRENCY
