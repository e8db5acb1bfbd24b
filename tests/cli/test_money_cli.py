"""Money as the command line shows it: estimates, prices, limits that are changed while a batch runs."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

import httpx
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
    _, err = live.communicate(timeout=60)
    assert live.returncode == 0, err
    assert cli("status", "money", "--json").documents[0]["completed"] == 4


def test_an_overrun_is_said_at_the_end(cli: Cli, with_demo: Start) -> None:
    server = with_demo("duration=2s")
    configure(cli, prices={"demo-small": {"input": 0.0, "output": 1000.0}})
    live = cli.start("run", write(cli, "openai", limits="cost_usd = 6"))
    until(lambda: any(entry["op"] == "create" for entry in server.ledger()))
    httpx.post(f"{server.url}/__faults", content="500=1").raise_for_status()  # until the limit is changed
    assert cli("limit", "money", "cost_usd=0.001").code == 0
    httpx.post(f"{server.url}/__faults", content="").raise_for_status()
    _, err = live.communicate(timeout=60)
    assert "over its limit of" in err


def test_paid_work_is_sent_again_only_when_that_is_said(cli: Cli, with_demo: Start) -> None:
    server = with_demo("duration=100ms")
    path = write(cli, "openai")
    assert cli("run", path).code == 0
    checked = cli("check", path, "--json")
    assert [problem["asks"] for problem in checked.documents[0]["problems"]] == ["again"]
    for said in ((), ("--yes",), ("--yes", "--no-input")):
        refused = cli("run", path, *said)
        assert refused.code == 2
        assert refused.err.count("4 of 4 jobs were sent before") == 1
        assert "--again" in refused.err
    assert [entry["op"] for entry in server.ledger()].count("create") == 1
    with (cli.folder / "rows.csv").open("a") as rows:
        rows.write("r4,new\nr5,newer\n")
    more = cli("run", path)
    assert "4 of 6 jobs were sent before" in more.err
    assert "2 are new" in more.err
    assert cli("run", path, "--again").code == 0


def test_check_never_says_that_nothing_comes_out(cli: Cli, with_demo: Start) -> None:
    with_demo()
    path = write(cli, "openai")
    text = (cli.folder / "money.toml").read_text().replace(f"max_tokens = {MOST}\n", "")
    (cli.folder / "money.toml").write_text(text)
    checked = cli("check", path)
    assert "at most 0 out" not in checked.out
    assert "no limit set" in checked.out
    (flight,) = cli("check", path, "--json").documents
    assert (flight["tokens_out_max"], flight["cost_max_usd"]) == (None, None)
    configure(cli, prices={"demo-small": {"input": 0.0, "output": 100.0, "max_output": 800}})
    (flight,) = cli("check", path, "--json").documents
    assert flight["tokens_out_max"] == 4 * 800
    assert flight["cost_max_usd"] == pytest.approx(4 * 800 * 50 / 1e6)
    low = cli("check", path, "--set", "limits.cost_usd=0.01")
    assert "0.01" in low.err
    assert "more than limits.cost_usd" in low.err


def test_what_status_tells_a_person_to_type_works(cli: Cli, with_demo: Start) -> None:
    with_demo()
    cli("run", write(cli, "chat", limits="cost_usd = 0.0001"))
    told = cli("status", "money").out
    typed = next(line.strip() for line in told.splitlines() if line.strip().startswith("batchtui limit"))
    assert cli(*typed.removeprefix("batchtui ").replace("…", "9").split()).code == 0
    assert cli("resume", "money").code == 0


def test_without_a_key_rows_and_price_are_told(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text('[backends.claude]\nkind = "anthropic"\n')
    path = write(cli, "claude", "claude-sonnet-4-5")
    checked = cli("check", path, "--json")
    assert checked.code == 2
    (flight,) = checked.documents
    assert (flight["jobs"], flight["kind"], flight["tokens_out_max"]) == (4, "anthropic", 4 * MOST)
    assert flight["cost_usd"] == pytest.approx(4 * (100 * 1.5 + MOST * 7.5) / 1e6)
    (problem,) = flight["problems"]
    assert "no key" in problem["message"]
    ran = cli("run", path)
    assert ran.code == 3
    assert "nothing was sent" in ran.err
