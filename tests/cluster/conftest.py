"""A cluster of the test's own, and a worker whose backend `cluster` is it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchtui.config import load_config
from batchtui.model import Json
from tests.cluster.clusters import Cluster, missing
from tests.cluster.stand_in import StandIn
from tests.engine import bench
from tests.engine.bench import Bench


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Four nodes; `SLURM_CONF` points at them."""
    if lacking := missing():
        pytest.skip(
            f"Slurm is not installed: no {', '.join(lacking)} (packages slurmctld slurmd slurm-client munge)"
        )
    made = Cluster()
    monkeypatch.setenv("SLURM_CONF", str(made.conf))
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def on_cluster(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Bench]]:
    """`on_cluster(chunk=5, …)`: a worker with that backend `cluster`, and lags short enough for one machine."""
    monkeypatch.setattr(bench, "DEADLINE", 240.0)
    made: list[Bench] = []

    def make(**settings: Json) -> Bench:
        write_config(tmp_path, **settings)
        made.append(Bench(tmp_path, load_config(tmp_path / "config.toml", env={})))
        return made[-1]

    yield make
    for one in made:
        one.close()


def write_config(folder: Path, **settings: Json) -> Path:
    import tomli_w

    table = {"kind": "slurm", "folder": str(folder / "runs"), "lag": 2, "settle": 2, "poll_interval": 1}
    path = folder / "config.toml"
    path.write_text(tomli_w.dumps({"backends": {"cluster": table | settings}}))
    return path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A small program in the place of Slurm's commands."""
    made = StandIn(tmp_path)
    monkeypatch.setenv("PATH", f"{made.programs}:{os.environ['PATH']}")
    return made


@pytest.fixture
def on_site(site: StandIn, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make(**settings: Json) -> Bench:
        given = {"lag": 0.1, "settle": 0.1, "poll_interval": 0.2, "chunk": 2} | settings
        write_config(tmp_path, **given)
        benches.append(Bench(tmp_path, load_config(tmp_path / "config.toml", env={})))
        return benches[-1]

    yield make
    for one in benches:
        one.close()
