"""Fixtures of the command line's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from tests.cli.cli_help import Cli


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    (tmp_path / "config.toml").write_text("")
    return Cli(tmp_path)


@pytest.fixture
def with_demo(cli: Cli, demo_server: Callable[..., DemoServer]) -> Callable[..., DemoServer]:
    """`with_demo("429=0.2")` starts a server and points the config at it."""

    def start(faults: str = "") -> DemoServer:
        server = demo_server(faults=faults)
        server.write_config(cli.folder / "config.toml")
        return server

    return start
