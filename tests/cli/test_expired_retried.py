"""A batch that expires with 60 of 100 rows done, and is finished by `retry`."""

from __future__ import annotations

from collections.abc import Callable

from batchtui.demo.server import DemoServer
from tests.cli.cli_help import PENGUINS, PROMPT, Cli


def test_forty_expired_rows_are_sent_again(cli: Cli, with_demo: Callable[..., DemoServer]) -> None:
    server = with_demo("expire=0.6")
    options = ("--set", "source.limit=100", "--set", "name=birds")
    ran = cli("run", str(PENGUINS), "--backend", "openai", *PROMPT, *options)
    assert ran.code == 1
    [status] = cli("status", "birds", "--json").documents
    assert (status["completed"], status["expired"], status["failed"]) == (60, 40, 0)
    assert status["submissions"][0]["reason"] == "ended as expired: 60 of 100 jobs completed"
    kept = {one["job_id"]: one for one in cli("results", "birds").documents if one["status"] == "completed"}

    server.faults.expire = None
    assert cli("retry", "birds").code == 0
    assert cli("resume", "birds").code == 0
    [status] = cli("status", "birds", "--json").documents
    assert (status["status"], status["completed"], status["expired"]) == ("completed", 100, 0)
    creates = [entry for entry in server.ledger() if entry["op"] == "create"]
    assert [len(entry["job_ids"]) for entry in creates] == [100, 40]
    assert not set(kept) & set(creates[1]["job_ids"])
    results = cli("results", "birds").documents
    assert [one["job_id"] for one in results] == [str(n) for n in range(1, 101)]
    assert all(kept[one["job_id"]] == one for one in results if one["job_id"] in kept)
    assert cli("wait", "birds").code == 0
