"""`clone` makes a new batch of a batch's jobs: it waits, says what would be paid for twice, and leaves the other as it is."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from batchtui.demo.server import DemoServer
from batchtui.model import Json
from tests.cli.cli_help import Cli

JOBS = 8
BATCH = """name = "k"
backend = "openai"
[source]
file = "rows.csv"
[job]
model = "demo-small"
prompt = "{{ text }}"
max_tokens = 20
[limits]
jobs_per_submission = 4
[output]
dir = "out"
"""


@pytest.fixture
def half(cli: Cli, with_demo: Callable[..., DemoServer]) -> DemoServer:
    """A batch that ended with some of its jobs failed."""
    server = with_demo("duration=50ms,partial=0.5,seed=3")
    rows = "".join(f"q{n},Question {n}\n" for n in range(JOBS))
    (cli.folder / "rows.csv").write_text("id,text\n" + rows)
    (cli.folder / "k.toml").write_text(BATCH)
    assert cli("run", "k.toml", "--yes").code == 1
    return server


def _results(cli: Cli, batch: str) -> list[Json]:
    return cli("results", batch, "--format", "jsonl").documents


def _header(cli: Cli, batch: str) -> Json:
    return json.loads((cli.folder / "data" / "batches" / batch / "batch.json").read_text())


def test_jobs_that_failed_make_a_batch_that_waits_and_is_sent_by_resume(cli: Cli, half: DemoServer) -> None:
    failed = [one["job_id"] for one in _results(cli, "k") if one["status"] == "failed"]
    assert 0 < len(failed) < JOBS
    sent = len(half.ledger())
    made = cli("clone", "k", "--status", "failed")
    assert made.code == 0, made.err
    new = made.out.strip()
    assert f"`batchtui resume {new}` sends them" in made.err
    status = cli("status", new, "--json").documents[0]
    assert (status["name"], status["status"], status["paused"]) == ("k-2", "pending", True)
    assert [one["job_id"] for one in _results(cli, new)] == failed
    assert len(half.ledger()) == sent
    before, now = (_header(cli, one) for one in (cli("status", "k", "--json").documents[0]["id"], new))
    for key in ("template", "answer_schema", "accounts", "base", "files"):
        assert now[key] == before[key]
    assert now["spec"]["limits"] == before["spec"]["limits"]
    outputs = sorted((cli.folder / "out").glob("*.json"))
    assert cli("resume", new).code in (0, 1)
    assert sorted((cli.folder / "out").glob("*.json")) == outputs
    assert len(list((cli.folder / f"out-{new}").glob("*.json"))) == len(failed)
    paid = [job for entry in half.ledger()[sent:] if entry["op"] == "create" for job in entry["job_ids"]]
    assert len(paid) == len(failed)


def test_paid_work_that_was_sent_is_said_first(cli: Cli, half: DemoServer) -> None:
    refused = cli("clone", "k")
    assert refused.code == 2
    assert "would be paid for twice" in refused.err
    assert "--again" in refused.err
    assert len(cli("list", "--json").documents) == 1
    again = cli("clone", "k", "--again", "--json", "--name", "anew")
    assert list(again.documents[0]) == ["id"]
    assert cli("status", "anew", "--json").documents[0]["total"] == JOBS


def test_what_is_chosen_is_what_the_query_says_and_nothing_is_no_batch(cli: Cli, half: DemoServer) -> None:
    made = cli("clone", "k", "--where", "id:q1", "--again")
    assert [one["job_id"] for one in _results(cli, made.out.strip())] == ["q1"]
    nothing = cli("clone", "k", "--where", "id:nobody")
    assert (nothing.code, nothing.out) == (2, "")
    assert cli("clone", "k", "--job", "nobody").code == 7
    assert cli("clone", "nobody").code == 7
    assert cli("clone", "k", "--status", "fialed").code == 2
    assert len(cli("list", "--json").documents) == 2


def test_local_programs_are_cloned_and_run_again_without_a_word(cli: Cli) -> None:
    assert cli.local(["echo", "{{ species }}"], "--set", "source.limit=3").code == 0
    made = cli("clone", "birds")
    assert made.code == 0, made.err
    assert cli("resume", made.out.strip()).code == 0
    assert [one["raw_response"] for one in _results(cli, "birds-2")] == [
        one["raw_response"] for one in _results(cli, "birds")
    ]
    assert cli("status", cli("clone", "birds-2").out.strip(), "--json").documents[0]["name"] == "birds-3"


def test_a_job_whose_file_is_gone_stops_the_clone_with_its_name(
    cli: Cli, with_demo: Callable[..., DemoServer]
) -> None:
    with_demo("duration=50ms")
    (cli.folder / "a.txt").write_text("words")
    (cli.folder / "f.toml").write_text(
        'name = "f"\nbackend = "anthropic"\n[job]\nmodel = "demo-small"\nprompt = "Read"\nfile = "a.txt"\n'
    )
    ran = cli("run", "f.toml", "--yes", "--trust")
    assert ran.code == 0, ran.err
    (cli.folder / "a.txt").unlink()
    made = cli("clone", "f", "--again")
    assert made.code == 2
    assert "a.txt" in made.err
    assert len(cli("list", "--json").documents) == 1
