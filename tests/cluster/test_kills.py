"""Killed at many points of its way over a cluster, it runs every job once and loses none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.clusters import Cluster
from tests.cluster.kills import killed_on_cluster
from tests.extras import needs

pytestmark = pytest.mark.timeout(400)


@pytest.mark.parametrize(
    "scenarios",
    [pytest.param(False, id="programs"), pytest.param(True, id="scenarios", marks=needs("power"))],
)
def test_a_dozen_kills(cluster: Cluster, tmp_path: Path, scenarios: bool) -> None:
    sizes = {"jobs": 120, "submissions": 8, "kills": 12, "seed": 11}
    assert killed_on_cluster(tmp_path, cluster, **sizes, scenarios=scenarios) >= 3
