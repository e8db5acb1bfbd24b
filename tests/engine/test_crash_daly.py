"""Kind `daly` killed with signal 9 around its submits, over a server that drops replies and commits late."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from batchtui.demo.server import DemoServer
from tests.daly_help import energy_model, service
from tests.engine.victim import Victim

RUNS, KILLS = 24, 4


def test_kills_submit_nothing_twice_and_lose_no_run(
    tmp_path: Path, demo_server: Callable[..., DemoServer]
) -> None:
    server = demo_server("drop.create=0.15,late=150ms,duration=300ms,seed=5")
    server.write_config(tmp_path / "config.toml")
    (tmp_path / "base.json").write_text(json.dumps(energy_model()))
    (tmp_path / "sites.csv").write_text("id\n" + "".join(f"s{n}\n" for n in range(RUNS)))
    batch = tmp_path / "batch.toml"
    batch.write_text(
        'name = "kills"\nbackend = "daly"\n[source]\nfile = "sites.csv"\n[job]\ninput_file = "base.json"\n'
    )
    victim = Victim(tmp_path / "data", tmp_path / "config.toml")
    chance = random.Random(7)
    victim.kill_often(batch, KILLS, steps=lambda: chance.choice([1, 2_000, 5_000, 8_000]))
    folder = victim.resume()
    assert folder.status().completed == RUNS
    assert Counter(run.label for run in service(server).runs) == {f"s{n}": 1 for n in range(RUNS)}
    told = [folder.result(n) for n in range(RUNS)]
    assert all(result.output["title"].startswith(f"{result.job_id} [") for result in told)
