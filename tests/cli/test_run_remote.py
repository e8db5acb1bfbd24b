"""`run` against the demo server: both shapes of backend, detaching, cancelling, and every way to be refused."""

from __future__ import annotations

import json
import signal
import socket
import sys
from collections.abc import Callable

import pytest

from batchtui.demo.server import DemoServer
from tests.cli.cli_help import PENGUINS, PROMPT, Cli, Ran, until

Start = Callable[..., DemoServer]


def run(cli: Cli, backend: str, *more: str, jobs: int = 30, name: str = "birds") -> Ran:
    limit = ("--set", f"source.limit={jobs}", "--set", f"name={name}")
    return cli("run", str(PENGUINS), "--backend", backend, *PROMPT, *limit, *more)


@pytest.mark.parametrize("backend", ["chat", "openai"])
def test_every_job_is_answered_in_source_order(cli: Cli, with_demo: Start, backend: str) -> None:
    with_demo()
    ran = run(cli, backend, "--json", "--set", "limits.jobs_per_submission=8")
    assert ran.code == 0
    (status,) = ran.documents
    assert status["completed"] == 30
    assert status["cost_usd"] > 0
    results = cli("results", "birds").documents
    assert [result["job_id"] for result in results] == [str(n) for n in range(1, 31)]
    assert all("Adelie of 2007" in result["raw_response"] for result in results)
    assert len(status["submissions"]) == (4 if backend == "openai" else 0)


def test_detach_cancel_resume(cli: Cli, with_demo: Start) -> None:
    server = with_demo("duration=600s")
    ran = run(cli, "openai", "--detach")
    assert ran.code == 0
    batch_id = ran.out.strip()
    assert cli("status", batch_id, "--json").documents[0]["processing"] == 30
    assert cli("rm", batch_id).code == 2
    cancelled = cli("cancel", batch_id)
    assert cancelled.code == 0
    assert f"batchtui resume {batch_id}" in cancelled.err
    assert [entry["op"] for entry in server.ledger()] == ["upload", "create", "cancel"]
    assert cli("resume", batch_id).code == 1
    status = cli("status", batch_id, "--json").documents[0]
    assert (status["status"], status["cancelled"]) == ("cancelled", 30)


def test_a_detached_batch_is_collected_later_and_made_once(cli: Cli, with_demo: Start) -> None:
    server = with_demo("duration=1s")
    batch_id = run(cli, "openai", "--detach", "--json").documents[0]["id"]
    assert cli("wait", batch_id, "--timeout", "0.5").code == 6
    assert cli("resume", batch_id, "-q").code == 0
    assert cli("wait", batch_id).code == 0
    assert [entry["op"] for entry in server.ledger()].count("create") == 1


def test_removing_a_live_batch_cancels_it_or_forgets_it(cli: Cli, with_demo: Start) -> None:
    server = with_demo("duration=600s")
    for name in ("one", "two"):
        run(cli, "openai", "--detach", "--again", name=name)
    assert cli("rm", "one", "--cancel", "--yes").code == 0
    assert [entry["op"] for entry in server.ledger()].count("cancel") == 1
    assert cli("rm", "two", "--forget", "--yes").code == 0
    assert cli("list", "--all", "--json").out == ""
    assert [entry["op"] for entry in server.ledger()].count("cancel") == 1


def test_a_spent_budget_is_5(cli: Cli, with_demo: Start) -> None:
    with_demo()
    more = ("--set", "job.max_tokens=500", "--set", "limits.cost_usd=0.001", "--set", "limits.concurrency=1")
    ran = run(cli, "chat", *more, "--json")
    assert ran.code == 5
    (status,) = ran.documents
    assert status["pending"]
    assert status["cost_usd"] < 0.001
    assert cli("wait", "birds").code == 5
    assert "budget" in [item["kind"] for item in status["attention"]]
    lines = cli("status", "birds").out.splitlines()
    (typed,) = [line.split() for line in lines if line.strip().startswith("batchtui limit ")]
    assert cli(*typed[1:]).code == 0
    assert cli("resume", "birds").code == 0


def test_an_unpriced_model_under_a_limit_is_refused(cli: Cli, with_demo: Start) -> None:
    with_demo()
    ran = run(cli, "chat", "--set", "job.model=unheard-of", "--set", "limits.cost_usd=1")
    assert ran.code == 2
    assert "unheard-of" in ran.err


def test_what_was_spent_is_the_least_where_a_price_is_unknown(cli: Cli, with_demo: Start) -> None:
    with_demo()
    models = ("--set", 'sweep.model=["demo-small", "unheard-of"]')
    assert (
        cli("run", str(PENGUINS), "--backend", "chat", *PROMPT, *models, "--set", "source.limit=2").code == 0
    )
    (listed,) = cli("list", "--json").documents
    assert listed["unpriced"] == 2
    assert "at least $" in cli("list").out or "at least <$" in cli("list").out
    assert "that of 2 unknown: no price, or" in cli("status", listed["id"]).out
    none = cli("results", listed["id"], "--where", "status=failed")
    assert (none.code, none.out) == (0, "")
    assert "no result matches; the batch has 4 jobs" in none.err
    assert cli("results", listed["id"], "--where", "status=fialed").code == 2


def test_nobody_there_is_4(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (cli.folder / "config.toml").write_text(
        f'[backends.gone]\nkind = "chat"\nbase_url = "http://127.0.0.1:{port}/v1"\n'
    )
    ran = run(cli, "gone", "--set", "limits.retries=0", jobs=2)
    assert ran.code == 4
    assert cli("backends", "probe", "gone").code == 4
    assert "cannot connect" in cli("errors", "birds").out


def test_a_missing_key_is_3_and_an_unknown_backend_is_told(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text(
        '[backends.far]\nkind = "chat"\nbase_url = "http://127.0.0.1:9/v1"\napi_key_env = "NOT_SET_HERE"\n'
    )
    ran = run(cli, "far", jobs=2)
    assert ran.code == 3
    assert "NOT_SET_HERE" in ran.err
    unknown = run(cli, "fax", jobs=2)
    assert unknown.code in (2, 3, 7)
    assert 'did you mean "far"?' in unknown.err
    assert cli("backends", "probe", "fax").code == 7


def test_broken_configuration_is_3(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text("[backends\n")
    ran = run(cli, "chat", jobs=1)
    assert ran.code == 3
    assert "config.toml" in ran.err
    assert cli("config", "check").code == 3
    assert cli("doctor").code == 3
    assert cli("list").code == 0


def test_probe_names_the_models(cli: Cli, with_demo: Start) -> None:
    with_demo()
    (answer,) = cli("backends", "probe", "openai", "--json").documents
    assert answer["ok"]
    assert "demo-small" in answer["models"]


def test_the_server_alone(cli: Cli) -> None:
    process = cli.start("demo", "--serve", "--port", "0", "--config-out", "config.toml", "--faults", "seed=3")
    assert process.stdout
    url = json.loads(process.stdout.readline())["url"]
    assert url.startswith("http://127.0.0.1:")
    assert run(cli, "openai", jobs=3).code == 0
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0
    assert cli("demo", "--serve", "--faults", "429=lots").code == 2


def test_all_samples_of_the_demo_can_be_made(tmp_path, with_demo: Start) -> None:  # type: ignore[no-untyped-def]
    from batchtui.cli.setup.demo import make
    from batchtui.config import load_config
    from batchtui.demo.samples import samples
    from batchtui.engine.shared.pool import Backends
    from batchtui.engine.worker import Worker
    from batchtui.store.library import Library

    with_demo("duration=0s")
    library = Library(tmp_path / "data")
    backends = Backends(load_config(tmp_path / "config.toml", env={}))
    ids = [make(sample, tmp_path, library, backends) for sample in samples()]
    worker = Worker(library, backends, drive_all=True)
    worker.start()
    try:
        for batch_id in ids:
            worker.drive(batch_id)
        assert worker.wait(set(ids), timeout=60)
        states = {folder.header.name: folder.status() for folder in worker.folders()}
    finally:
        worker.stop()
    assert states["support replies"].failed == 3
    assert states["letters in latin"].cancelled == 30
    assert states["note lengths"].completed == 60
    assert states["article summaries"].completed == 300
    assert states["four models"].completed == 80
    assert states["mood labels"].completed == 2000
    assert [item.kind for item in states["polite essays"].attention] == ["budget"]


def test_the_demo_leaves_nothing_behind(cli: Cli) -> None:
    pexpect = pytest.importorskip("pexpect")
    temporary = cli.folder / "tmp"
    temporary.mkdir()
    child = pexpect.spawn(
        sys.executable, ["-m", "batchtui", "demo"], dimensions=(30, 110), cwd=str(cli.folder),
        env=cli.environment(TMPDIR=str(temporary), TERM="xterm-256color"), encoding="utf-8",
    )  # fmt: skip
    child.expect("mood labels", timeout=60)
    assert list(temporary.glob("batchtui-demo-*"))
    child.kill(signal.SIGTERM)
    child.expect(pexpect.EOF, timeout=60)
    until(lambda: not list(temporary.glob("batchtui-demo-*")))
