"""Money as the command line shows it: estimates, prices, limits that are changed while a batch runs."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

import pytest
import tomli_w

from batchtui.demo.server import DemoServer
from tests.cli.cli_help import Cli, until

Start = Callable[..., DemoServer]
TEXT, MOST = "x" * 400, 1000


def write(cli: Cli, backend: str, model: str = "demo-small", jobs: int = 4, limits: str = "") -> str:
    (cli.folder / "rows.csv").write_text("id,text\n" + "".join(f"r{n},{TEXT}\n" for n in range(jobs)))
    (cli.folder / "money.toml").write_text(
        f'name = "money"\nbackend = "{backend}"\n[source]\nfile = "rows.csv"\n'
        f'[job]\nmodel = "{model}"\nprompt = "{{{{ text }}}}"\nmax_tokens = {MOST}\n[limits]\n{limits}\n'
    )
    return str(cli.folder / "money.toml")


def configure(cli: Cli, **tables: object) -> None:
    path = cli.folder / "config.toml"
    config = tomllib.loads(path.read_text())
    for name, table in tables.items():
        config[name] = table
    path.write_text(tomli_w.dumps(config))


@pytest.mark.parametrize(("backend", "factor"), [("chat", 1.0), ("openai", 0.5)])
def test_check_tells_what_is_likely_and_what_is_most(
    cli: Cli, with_demo: Start, backend: str, factor: float
) -> None:
    with_demo()
    configure(cli, prices={"demo-small": {"input": 10.0, "output": 100.0}})
    checked = cli("check", write(cli, backend), "--json")
    (flight,) = checked.documents
    assert flight["tokens_in"] == 4 * 100
    assert flight["tokens_out_max"] == 4 * MOST
    assert flight["cost_usd"] == pytest.approx(4 * (100 * 10 + MOST * 100) / 1e6 * factor)
    assert flight["cost_max_usd"] == pytest.approx(4 * (200 * 10 + MOST * 100) / 1e6 * factor)
    assert "at most" in cli("check", str(cli.folder / "money.toml")).out


def test_an_unknown_price_stays_unknown(cli: Cli, with_demo: Start) -> None:
    with_demo()
    checked = cli("check", write(cli, "openai", "unheard-of"), "--json")
    assert checked.code == 0
    assert (checked.documents[0]["cost_usd"], checked.documents[0]["cost_max_usd"]) == (None, None)


@pytest.mark.parametrize("per_day", [False, True])
def test_an_unknown_price_under_a_limit_needs_a_word(cli: Cli, with_demo: Start, per_day: bool) -> None:
    server = with_demo("duration=100ms")
    configure(cli, prices={}, **({"limits": {"cost_usd_per_day": 5.0}} if per_day else {}))
    batch = write(cli, "openai", limits="" if per_day else "cost_usd = 5.0")
    assert cli("check", batch).code == 0
    refused = cli("run", batch)
    assert refused.code == 2
    assert "demo-small" in refused.err
    assert "--yes" in refused.err
    assert not [entry for entry in server.ledger() if entry["op"] == "create"]
    ran = cli("run", batch, "--yes", "--json")
    assert ran.code == 0, ran.err
    assert ran.documents[0]["cost_usd"] is None


def test_prices_tells_where_from(cli: Cli, with_demo: Start) -> None:
    with_demo()
    (own,) = cli("prices", "demo-small", "--backend", "openai", "--json").documents
    assert own["source"] == str(cli.folder / "config.toml")
    assert own["batch"]["input"] == pytest.approx(own["usual"]["input"] / 2)
    known = cli("prices", "claude-sonnet-4-5")
    assert known.code == 0
    assert "as of 20" in known.out
    assert "in a batch" in known.out
    (document,) = cli("prices", "claude-sonnet-4-5", "--json").documents
    assert document["date"]
    assert document["source"]
    unknown = cli("prices", "claude-sonet-4-5-x")
    assert unknown.code == 7
    assert "[prices." in unknown.err


def test_a_wrong_price_is_refused_with_its_key(cli: Cli, with_demo: Start) -> None:
    with_demo()
    configure(cli, prices={"demo-small": {"input": 1.0, "output": 1.0, "cached_input": -1.0}})
    checked = cli("check", write(cli, "openai"))
    assert checked.code == 3
    assert "cached_input" in checked.err


def test_limits_change_on_a_live_batch(cli: Cli, with_demo: Start) -> None:
    server = with_demo("duration=300ms")
    configure(cli, prices={"demo-small": {"input": 0.0, "output": 1000.0}})
    batch = write(cli, "openai", limits="cost_usd = 0.6\njobs_per_submission = 1\nsubmissions_at_once = 1")
    live = cli.start("run", batch, "--json")
    until(lambda: any(entry["op"] == "create" for entry in server.ledger()))
    changed = cli("limit", "money", "cost_usd=9", "time=2h", "submissions_at_once=3", "--json")
    assert changed.code == 0, changed.err
    status = changed.documents[0]
    assert status["cost_limit_usd"] == 9
    assert status["deadline"]
    _, err = live.communicate(timeout=30)
    assert live.returncode == 0, err
    assert cli("status", "money", "--json").documents[0]["completed"] == 4


def test_an_overrun_is_said_at_the_end(cli: Cli, with_demo: Start) -> None:
    server = with_demo("duration=700ms")
    configure(cli, prices={"demo-small": {"input": 0.0, "output": 1000.0}})
    live = cli.start("run", write(cli, "openai", limits="cost_usd = 6"))
    until(lambda: any(entry["op"] == "create" for entry in server.ledger()))
    assert cli("limit", "money", "cost_usd=0.001").code == 0
    _, err = live.communicate(timeout=30)
    assert "over its limit of" in err
