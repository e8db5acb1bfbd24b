"""Killed with signal 9 around every step of a submission, over a server that drops replies and commits late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from tests.engine.crash import STEPS, killed_batch

JOBS, SUBMISSIONS, KILLS = 2000, 20, 20


@pytest.mark.timeout(420)
def test_twenty_kills_submit_nothing_twice_and_lose_no_row(
    tmp_path: Path, demo_server: Callable[..., DemoServer]
) -> None:
    server = demo_server(faults="drop=0.2,late=2s,duration=1s,seed=5")
    killed_batch(
        tmp_path,
        server,
        "openai",
        jobs=JOBS,
        submissions=SUBMISSIONS,
        kills=KILLS,
        seed=21,
        least=KILLS // 2,
        steps=(*STEPS[:-1], 6_000),
        timeout=240,
    )
