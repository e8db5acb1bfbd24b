"""Kinds killed with signal 9 around every step, over a server that drops replies and commits late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from tests.engine.crash import FAULTS, killed_batch


@pytest.mark.parametrize(("kind", "seed"), [("gemini", 21), ("mistral", 22), ("together", 23)])
def test_kills_submit_nothing_twice_and_lose_no_row(
    tmp_path: Path, demo_server: Callable[..., DemoServer], kind: str, seed: int
) -> None:
    server = demo_server(faults=FAULTS)
    killed_batch(tmp_path, server, kind, jobs=200, submissions=5, kills=5, seed=seed)


@pytest.mark.timeout(180)
def test_neither_does_a_kind_whose_server_shows_our_mark_only_at_its_end(
    tmp_path: Path, demo_server: Callable[..., DemoServer]
) -> None:
    server = demo_server(faults="drop=0.2,late=250ms,duration=500ms,seed=5")
    killed_batch(tmp_path, server, "anthropic", jobs=400, submissions=8, kills=5, seed=21)
