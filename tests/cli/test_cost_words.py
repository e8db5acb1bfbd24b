"""What batches without a price cost, in the same words everywhere: unknown, or nothing to pay."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from batchtui.demo.server import DemoServer
from batchtui.model import Json
from tests.cli.cli_help import Cli
from tests.daly_help import energy_model

Start = Callable[..., DemoServer]


def written(cli: Cli, kind: str, limits: str = "") -> str:
    (cli.folder / "model.json").write_text(json.dumps(energy_model()))
    job = {
        "daly": 'input_file = "model.json"',
        "buttermilk": 'flow = "good"',
        "local": 'command = ["echo", "hello"]',
    }[kind]
    path = cli.folder / f"{kind}.toml"
    path.write_text(f'name = "{kind}"\nbackend = "{kind}"\n[job]\n{job}\n[limits]\n{limits}\n')
    return str(path)


def fact(out: str, name: str) -> str:
    (line,) = [line for line in out.splitlines() if line.startswith(f"{name} ")]
    return line.removeprefix(name).strip()


@pytest.mark.parametrize("kind", ["daly", "buttermilk"])
def test_a_price_that_nobody_knows_is_unknown(cli: Cli, with_demo: Start, kind: str) -> None:
    with_demo("duration=100ms")
    path = written(cli, kind)
    assert fact(cli("check", path).out, "cost") == "unknown: no price"
    (flight,) = cli("check", path, "--json").documents
    assert (flight["cost_usd"], flight["cost_max_usd"]) == (None, None)
    assert flight["backends"][0]["cost_usd"] is None
    assert cli("run", path, "--trust").code == 0
    assert fact(cli("status", kind).out, "cost") == "unknown"
    (status,) = cli("status", kind, "--json").documents
    assert (status["cost_usd"], status["estimated_usd"]) == (None, None)
    listed = cli("list").out
    assert " unknown " in listed
    assert "$0.00" not in listed + cli("status", kind).out


def test_nothing_is_to_pay_for_programs_here(cli: Cli) -> None:
    path = written(cli, "local")
    assert fact(cli("check", path).out, "cost") == "no charge"
    assert cli("check", path, "--json").documents[0]["cost_usd"] == 0
    assert cli("run", path, "--trust").code == 0
    assert fact(cli("status", "local").out, "cost") == "no charge"
    assert cli("status", "local", "--json").documents[0]["cost_usd"] == 0
    listed = cli("list").out
    assert not [word for word in ("unknown", "$0.00") if word in listed]


@pytest.mark.parametrize("kind", ["daly", "buttermilk"])
@pytest.mark.parametrize("per_day", [False, True])
def test_under_a_limit_an_unknown_cost_asks_first(
    cli: Cli, with_demo: Start, kind: str, per_day: bool
) -> None:
    server = with_demo("duration=100ms")
    path = written(cli, kind, "" if per_day else "cost_usd = 5.0")
    if per_day:
        with (cli.folder / "config.toml").open("a") as config:
            config.write("\n[limits]\ncost_usd_per_day = 5.0\n")
    checked = cli("check", path)
    assert checked.code == 0
    key = "limits.cost_usd" + "_per_day" * per_day
    assert f'what jobs on "{kind}" cost is unknown, so {key} cannot be kept' in checked.out + checked.err
    refused = cli("run", path, "--trust")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert refused.err.count("cost is unknown, so") == 1
    assert not creates(server)
    assert cli("run", path, "--trust", "--yes").code == 0
    assert len(creates(server)) == 1


@pytest.mark.parametrize("kind", ["daly", "buttermilk"])
def test_a_limit_that_comes_later_asks_too(cli: Cli, with_demo: Start, kind: str) -> None:
    server = with_demo("duration=100ms")
    assert cli("run", written(cli, kind), "--trust").code == 0
    (copy,) = cli("clone", kind, "--again", "--json").documents
    assert cli("limit", copy["id"], "cost_usd=5").code == 0
    held = cli("resume", copy["id"])
    assert held.code == 5, held.err
    assert f"what jobs on {kind} cost is unknown, so the cost limit cannot be kept; send it all" in held.err
    assert len(creates(server)) == 1
    assert cli("resolve", copy["id"], "release").code == 0
    assert cli("resume", copy["id"]).code == 0
    assert len(creates(server)) == 2


def creates(server: DemoServer) -> list[Json]:
    return [entry for entry in server.ledger() if entry["op"] == "create"]
