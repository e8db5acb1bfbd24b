"""A Buttermilk flow from the command line: jobs that nobody knows before the server shows them."""

from __future__ import annotations

from collections.abc import Callable

from batchtui.demo.server import DemoServer
from tests.cli.cli_help import Cli

Start = Callable[..., DemoServer]


def flow(cli: Cli, name: str, file: str = "flow.toml", more: str = "") -> str:
    path = cli.folder / file
    path.write_text(
        f'name = "{name}"\nbackend = "buttermilk"\n[job]\nflow = "{name}"\nshuffle = false\n{more}'
    )
    return str(path)


def test_a_flow_to_its_end(cli: Cli, with_demo: Start) -> None:
    with_demo()
    ran = cli("run", flow(cli, "demo"))
    assert ran.code == 1
    assert "jobs as they show on buttermilk" in ran.err
    assert "3 completed, 1 failed" in ran.err
    assert "batchtui retry" not in ran.err
    results = cli("results", "demo").documents
    assert [(one["job_id"], one["status"]) for one in results] == [
        ("r1", "failed"), ("r2", "completed"), ("r3", "completed"), ("r4", "completed"),
    ]  # fmt: skip
    assert results[1]["output"]["record_id"] == "r2"
    again = cli("retry", "demo")
    assert (again.code, "cannot be sent again one by one" in again.err) == (2, True)


def test_detached_then_resumed(cli: Cli, with_demo: Start) -> None:
    with_demo("duration=1s")
    ran = cli("run", flow(cli, "good"), "--detach")
    assert ran.code == 0
    batch_id = ran.out.strip()
    (status,) = cli("status", batch_id, "--json").documents
    (submission,) = status["submissions"]
    assert submission["remote_id"].startswith("batch-")
    assert cli("resume", batch_id).code == 0
    (status,) = cli("status", batch_id, "--json").documents
    assert (status["completed"], status["total"]) == (4, 4)
    assert [
        one["name"] for one in cli("remote", "buttermilk", "--json", "--status", "completed").documents
    ] == ["good"]
    none = cli("remote", "buttermilk", "--status", "failed")
    assert (none.out, none.err.strip()) == ("", "none of 1 is failed")


def test_a_server_without_the_batch_api_is_named_as_such(cli: Cli, with_demo: Start) -> None:
    server = with_demo()
    with (cli.folder / "config.toml").open("a") as config:
        config.write(f'\n[backends.head]\nkind = "buttermilk"\nbase_url = "{server.url}/buttermilk/head"\n')
    for asked in (
        ("run", flow(cli, "demo"), "--backend", "head"),
        ("remote", "head"),
        ("backends", "probe", "head"),
    ):
        ran = cli(*asked)
        assert ran.code == 4, asked
        if asked[0] == "run":
            ran = cli("errors", "demo")
        assert "this server has no batch API" in ran.out + ran.err, asked
