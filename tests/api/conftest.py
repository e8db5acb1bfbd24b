"""Fixtures of the Python API's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from batchtui import Batch, BatchRun
from batchtui.api import engines
from batchtui.demo.server import DemoServer
from batchtui.model import Json


@dataclass
class Place:
    """A store and a config of the test's own."""

    folder: Path

    @property
    def home(self) -> dict[str, Path]:
        return {"data_dir": self.folder / "data", "config": self.folder / "config.toml"}

    def batch(self, name: str = "birds", **more: Json) -> Batch:
        return Batch(name, **{**self.home, **more})

    def manifest(self, file: Path, **more: Json) -> Batch:
        return Batch.from_manifest(file, **{**self.home, **more})

    def open(self, batch: str, **more: Json) -> BatchRun:
        return Batch.open(batch, **self.home, **more)

    def prompts(self, count: int, name: str = "birds", backend: str = "openai", **more: Json) -> Batch:
        """So many jobs for a model of the demo."""
        batch = self.batch(name, backend=backend, **more).set_default_params(
            model="demo-small", max_tokens=50
        )
        batch.add_jobs({"prompt": f"Describe bird {n}"} for n in range(count))
        return batch


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "config.toml").write_text("")
    return Place(tmp_path)


@pytest.fixture
def with_demo(place: Place, demo_server: Callable[..., DemoServer]) -> Callable[..., DemoServer]:
    """`with_demo("duration=1s")` starts a server and points the config at it; ended before the server is."""

    def start(faults: str = "") -> DemoServer:
        server = demo_server(faults=faults)
        server.write_config(place.folder / "config.toml")
        return server

    return start


@pytest.fixture(autouse=True)
def _stopped_engines() -> Iterator[None]:
    yield
    engines._stop_all()
    engines._engines.clear()
