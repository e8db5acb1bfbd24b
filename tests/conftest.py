"""Fixtures for all tests."""

from __future__ import annotations

import os
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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With BATCHTUI_ALL_TESTS a skipped test is a failure: everything optional is meant to be there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("BATCHTUI_ALL_TESTS") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
