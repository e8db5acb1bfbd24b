"""Kind `anthropic` killed with signal 9 around every step; what its server holds shows our mark only at its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from tests.engine.crash import killed_batch


@pytest.mark.timeout(180)
def test_kills_submit_nothing_twice_and_lose_no_row(
    tmp_path: Path, demo_server: Callable[..., DemoServer]
) -> None:
    server = demo_server(faults="drop=0.2,late=250ms,duration=500ms,seed=5")
    killed_batch(tmp_path, server, "anthropic", jobs=400, submissions=8, kills=5, seed=21)
