"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from batchtui.demo.server import DemoServer

MakeDemoServer = Callable[..., DemoServer]


@pytest.fixture
def demo_server() -> Iterator[MakeDemoServer]:
    """`demo_server(faults="429=0.2", **options)`: a running server on a free port, stopped after the test."""
    pytest.importorskip("uvicorn", reason="needs the extra `demo`")
    with ExitStack() as servers:

        def make(faults: str = "", **options: object) -> DemoServer:
            return servers.enter_context(DemoServer(faults=faults, **options))

        yield make
