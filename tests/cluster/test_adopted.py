"""An array made by another installation, taken over with its jobs and its results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.clusters import Cluster
from tests.engine.bench import Bench
from tests.engine.victim import Victim

pytestmark = pytest.mark.timeout(300)


def test_an_array_is_taken_over(on_cluster: Callable[..., Bench], cluster: Cluster, tmp_path: Path) -> None:
    bench = on_cluster(chunk=2)
    folder = bench.run(
        bench.spec("cluster", 5, {"command": ["sh", "-c", "echo {{ id }}; test {{ id }} != r3"]})
    )
    array = folder.progress.submissions[1].remote_id
    assert array
    victim = Victim(tmp_path / "elsewhere", tmp_path / "config.toml")
    done = victim.finish("adopt", "cluster", array)
    assert done.returncode in (0, 1), done.stderr.decode()
    done = victim.finish("resume", victim.folder().id)
    taken = victim.folder()
    assert (taken.status().completed, taken.status().failed) == (4, 1), done.stderr.decode()
    assert sorted(taken.jobs.ids) == [f"r{n}" for n in range(5)]
    assert {taken.result(n).raw_response for n in range(5)} == {f"r{n}\n" for n in range(5)}
