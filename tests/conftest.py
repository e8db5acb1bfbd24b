"""Fixtures for all tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from batchtui.demo.server import DemoServer

MakeDemoServer = Callable[..., DemoServer]


@pytest.fixture(autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told in a second place goes to no folder of the user's, and no test hears of another."""
    monkeypatch.setenv("BATCHTUI_STATE_DIR", str(tmp_path_factory.mktemp("state")))
    monkeypatch.setenv("XDG_STATE_HOME", os.environ["BATCHTUI_STATE_DIR"])


@pytest.fixture(autouse=True)
def utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn does not hang on the locale that the tests are run in."""
    for name in ("LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


@pytest.fixture
def demo_server() -> Iterator[MakeDemoServer]:
    """`demo_server(faults="429=0.2", **options)`: a running server on a free port, stopped after the test."""
    pytest.importorskip("uvicorn", reason="needs the extra `demo`")
    with ExitStack() as servers:

        def make(faults: str = "", **options: object) -> DemoServer:
            return servers.enter_context(DemoServer(faults=faults, **options))

        yield make


def pytest_xdist_auto_num_workers() -> int:
    """Twice as many as there are processors: most tests wait for a process, a socket or a screen."""
    return 2 * (os.cpu_count() or 1)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With BATCHTUI_ALL_TESTS a skipped test is a failure: everything optional is meant to be there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("BATCHTUI_ALL_TESTS") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
