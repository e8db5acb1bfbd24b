"""A limit over all batches and processes: what they commit together never passes it, killed or not."""

from __future__ import annotations

import random
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli_w

from batchtui.demo.server import DemoServer
from tests.engine import money_help
from tests.engine.victim import Victim

MakeServer = Callable[..., DemoServer]


@pytest.fixture
def money(tmp_path: Path, demo_server: MakeServer) -> Callable[..., tuple[Victim, DemoServer]]:
    """`money(faults, per_day)`: a config with a limit a day, over a demo server."""

    def make(faults: str, per_day: float) -> tuple[Victim, DemoServer]:
        server = demo_server(faults)
        server.write_config(tmp_path / "config.toml")
        config = tomllib.loads((tmp_path / "config.toml").read_text())
        config["limits"] = {"cost_usd_per_day": per_day}
        config["prices"]["demo-small"] = {"input": 0.0, "output": money_help.PRICE.output}
        (tmp_path / "config.toml").write_text(tomli_w.dumps(config))
        return Victim(tmp_path / "data", tmp_path / "config.toml"), server

    return make


def write_batch(folder: Path, name: str, backend: str, jobs: int, limits: str) -> Path:
    (folder / f"{name}.csv").write_text(
        "id,text\n" + "".join(f"{name}{n},Question {n} of {name}\n" for n in range(jobs))
    )
    path = folder / f"{name}.toml"
    path.write_text(
        f'name = "{name}"\nbackend = "{backend}"\n[source]\nfile = "{name}.csv"\n'
        f'[job]\nmodel = "demo-small"\nprompt = "{{{{ text }}}}"\nmax_tokens = {money_help.MOST}\n'
        f"[limits]\n{limits}\n"
    )
    return path


def ends(process: subprocess.Popen[bytes]) -> int:
    _, err = process.communicate(timeout=60)
    assert b"Traceback" not in err, err.decode()
    return process.returncode


def test_two_processes_cannot_pass_the_day_together(
    tmp_path: Path, money: Callable[..., tuple[Victim, DemoServer]]
) -> None:
    victim, server = money("duration=150ms", 3.0)
    limits = "jobs_per_submission = 2\nsubmissions_at_once = 4"
    batches = [write_batch(tmp_path, name, "openai", 6, limits) for name in ("one", "two")]
    runs = [victim.start("run", str(batch)) for batch in batches]
    assert [ends(run) for run in runs] == [0, 0]
    assert max(money_help.committed(victim.data_dir)) <= 3.0
    assert [entry["op"] for entry in server.ledger()].count("create") == 6
    cost = sum(victim.library.open(batch_id).status().cost_usd or 0 for batch_id in victim.library.ids())
    assert money_help.committed(victim.data_dir)[-1] == pytest.approx(cost)


def test_a_day_that_nothing_can_free_ends_with_5(
    tmp_path: Path, money: Callable[..., tuple[Victim, DemoServer]]
) -> None:
    victim, server = money("duration=100ms", 1.02)  # one job may cost 1.00 USD, and two cost about 0.03
    batch = write_batch(tmp_path, "spent", "openai", 6, "jobs_per_submission = 2")
    ended = victim.finish("run", str(batch))
    assert ended.returncode == 5, ended.stderr.decode()
    status = victim.folder().status(submissions=True)
    assert (status.completed, status.pending) == (1, 5)
    assert [item.kind for item in status.attention] == ["budget"]
    assert "cost_usd_per_day" in status.attention[0].text
    assert [entry["op"] for entry in server.ledger()].count("create") == 1
    assert victim.finish("resume", status.id).returncode == 5


def test_what_a_dead_process_had_reserved_is_free_again(
    tmp_path: Path, money: Callable[..., tuple[Victim, DemoServer]]
) -> None:
    victim, _ = money("latency=50ms", 40.0)
    first = victim.start("run", str(write_batch(tmp_path, "dead", "chat", 200, "concurrency = 2")))
    path = victim.data_dir / "spend.jsonl"
    assert victim.kill_when(first, lambda: path.exists() and victim.size("results.jsonl") > 2_000)
    assert money_help.committed(victim.data_dir)[-1] > 19.0
    second = victim.finish("run", str(write_batch(tmp_path, "next", "openai", 38, "")))
    assert second.returncode == 0, second.stderr.decode()
    assert max(money_help.committed(victim.data_dir)) <= 40.0


@pytest.mark.timeout(120)
@pytest.mark.parametrize("backend", ["chat", "openai"])
def test_kills_lose_no_money_and_count_none_twice(
    tmp_path: Path, money: Callable[..., tuple[Victim, DemoServer]], backend: str
) -> None:
    victim, _ = money("latency=4ms,duration=100ms,late=250ms,seed=2", 200.0)
    limits = "concurrency = 4" if backend == "chat" else "jobs_per_submission = 2\nsubmissions_at_once = 3"
    batch = write_batch(tmp_path, "kills", backend, 400 if backend == "chat" else 40, limits)
    chance = random.Random(3)
    kills = victim.kill_often(batch, 4, steps=lambda: chance.choice([1, 200, 900, 2_000, 5_000]))
    victim.resume()
    stored = [
        attempt.cost_usd
        for n in range(victim.folder().header.total)
        for attempt in [victim.folder().result(n)]
    ]
    cost = sum(one or 0 for one in stored)
    assert victim.folder().status().cost_usd == pytest.approx(cost)
    assert money_help.committed(victim.data_dir)[-1] == pytest.approx(cost)
    assert max(money_help.committed(victim.data_dir)) <= 200.0
    assert kills >= 2
