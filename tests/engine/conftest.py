"""Fixtures of the engine's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchtui.config import load_config
from batchtui.demo.server import DemoServer
from tests.engine.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A worker with `local` alone."""
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def served(
    tmp_path: Path, demo_server: Callable[..., DemoServer]
) -> Iterator[Callable[..., tuple[Bench, DemoServer]]]:
    """`served(faults)`: a worker whose `chat` and `openai` are a demo server."""
    benches: list[Bench] = []

    def make(faults: str = "", **options: object) -> tuple[Bench, DemoServer]:
        server = demo_server(faults, **options)
        server.write_config(tmp_path / "config.toml")
        bench = Bench(tmp_path, load_config(tmp_path / "config.toml", env={}))
        benches.append(bench)
        return bench, server

    yield make
    for bench in benches:
        bench.close()
