"""Kind `gemini` killed with signal 9 around every step, over a server that drops replies and commits late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from batchtui.demo.server import DemoServer
from tests.engine.crash import FAULTS, killed_batch


def test_kills_submit_nothing_twice_and_lose_no_row(
    tmp_path: Path, demo_server: Callable[..., DemoServer]
) -> None:
    server = demo_server(faults=FAULTS)
    killed_batch(tmp_path, server, "gemini", jobs=200, submissions=5, kills=5, seed=21)
