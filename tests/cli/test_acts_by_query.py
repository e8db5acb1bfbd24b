"""`retry` and `cancel` act on the jobs that a query shows, and say how many of how many."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def failed(cli: Cli) -> str:
    """A batch of 30 jobs, of which those with a 3 in their number failed; its id."""
    rows = "\n".join(f'{{"id": "j{n:02}", "n": {n}}}' for n in range(30))
    (cli.folder / "rows.jsonl").write_text(rows)
    (cli.folder / "b.toml").write_text(
        'name = "b"\nbackend = "local"\n[source]\nfile = "rows.jsonl"\n'
        '[job]\ncommand = ["sh", "-c", "case $1 in *3*) exit 1;; esac", "x", "{{ n }}"]\n'
    )
    ran = cli("run", "b.toml", "--trust")
    assert ran.code == 1
    assert "not all completed: 27 completed, 3 failed" in ran.err
    return str(cli("list", "--json").documents[0]["id"])


def test_retry_of_what_a_query_shows(cli: Cli, failed: str) -> None:
    assert "completed, but 3 failed" in cli("list").out
    assert "completed, but 3 failed" in cli("status", failed).out
    assert "completed, but 3 failed" in cli("watch", failed, "--plain").out
    ran = cli("retry", failed, "--where", "id:j1")
    assert "retry of 1 of 3 jobs without a good answer done" in ran.err
    assert cli("status", failed, "--json").documents[0]["pending"] == 1
    assert "no job is meant" in cli("retry", failed, "--where", "id:j02").err
    ran = cli("cancel", failed, "--where", "id:j0")
    assert "no job is meant" in ran.err
    ran = cli("cancel", failed, "--where", "id:j1")
    assert "cancel of 1 of 1 unfinished jobs done" in ran.err
    told = cli("status", failed, "--json").documents[0]
    assert (told["completed"], told["failed"], told["cancelled"]) == (27, 2, 1)


def test_a_job_must_be_both_named_and_shown(cli: Cli, failed: str) -> None:
    assert "no job is meant" in cli("retry", failed, "--job", "j03", "--where", "id:j1").err
    assert "retry of 1 of 3" in cli("retry", failed, "--job", "j03", "--where", "id:j0").err
    assert cli("retry", failed, "--job", "nowhere").code == 7
