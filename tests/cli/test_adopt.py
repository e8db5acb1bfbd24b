"""`remote`, `adopt`, `import`, `run --canary` and batches over several backends, by the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import httpx
import pytest

from batchtui.demo.server import DemoServer
from tests.cli.cli_help import PENGUINS, PROMPT, Cli

Start = Callable[..., DemoServer]
CHAT = "/v1/chat/completions"


def elsewhere(server: DemoServer, count: int) -> str:
    body = {"model": "demo-small", "messages": [{"role": "user", "content": "hello"}]}
    lines = [{"custom_id": f"r{n}", "method": "POST", "url": CHAT, "body": body} for n in range(count)]
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    with httpx.Client(base_url=server.url) as client:
        file = client.post("/v1/files", data={"purpose": "batch"}, files={"file": ("in.jsonl", data)}).json()
        asked = {"input_file_id": file["id"], "endpoint": CHAT, "completion_window": "24h"}
        return str(client.post("/v1/batches", json=asked | {"metadata": {"name": "night"}}).json()["id"])


def test_what_lives_there_is_listed_and_taken_over(cli: Cli, with_demo: Start) -> None:
    server = with_demo()
    remote_id = elsewhere(server, 3)
    (listed,) = cli("remote", "openai", "--json").documents
    assert (listed["remote_id"], listed["name"], listed["batch"]) == (remote_id, "night", None)
    assert remote_id in cli("remote", "openai").out
    ran = cli("adopt", "openai", remote_id, "--json")
    assert ran.code == 0, ran.err
    (status,) = ran.documents
    assert (status["name"], status["completed"], status["submissions"][0]["remote_id"]) == (
        "night",
        3,
        remote_id,
    )
    assert [result["job_id"] for result in cli("results", "night").documents] == ["r0", "r1", "r2"]
    again = cli("adopt", "openai", remote_id)
    assert again.code == 2
    assert f"batch {status['id']}" in again.err
    assert cli("remote", "openai", "--json").documents[0]["batch"] == status["id"]
    assert [entry["op"] for entry in server.ledger()].count("create") == 1


def test_taking_over_without_waiting(cli: Cli, with_demo: Start) -> None:
    server = with_demo("duration=20s")
    remote_id = elsewhere(server, 2)
    ran = cli("adopt", "openai", remote_id, "--detach", "--name", "mine")
    assert ran.code == 0, ran.err
    (status,) = cli("status", ran.out.strip(), "--json").documents
    assert (status["name"], status["processing"], status["status"]) == ("mine", 2, "processing")
    cancelled = cli("cancel", "mine")
    assert cancelled.code == 0
    assert [entry["op"] for entry in server.ledger()].count("cancel") == 1


def test_what_cannot_be_taken_over(cli: Cli, with_demo: Start) -> None:
    with_demo()
    assert cli("remote", "openai").err.strip() == "nothing lives there"
    unknown = cli("adopt", "openai", "batch_nowhere")
    assert unknown.code == 7
    assert 'openai has no batch "batch_nowhere"' in unknown.err
    assert cli("adopt", "chat", "x").code == 2
    assert cli("remote", "fax").code == 7
    assert cli("adopt", "openai", "x", "--source", "none.csv").code == 2
    assert cli("list", "--all", "--json").out == ""


def test_nobody_there_is_4(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text(
        '[backends.gone]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'
    )
    assert cli("remote", "gone").code == 4
    assert cli("adopt", "gone", "x").code == 4


def test_a_canary_waits_for_resolve(cli: Cli, with_demo: Start) -> None:
    with_demo()
    limit = ("--set", "source.limit=6", "--set", "name=birds")
    ran = cli(
        "run", str(PENGUINS), "--backend", "openai", *PROMPT, *limit, "--canary", "2", "--yes", "--json"
    )
    assert ran.code == 6
    assert "batchtui resolve" in ran.err
    (status,) = ran.documents
    assert (status["completed"], status["pending"], status["attention"][0]["kind"]) == (2, 4, "canary")
    assert len(cli("results", "birds", "--finished").documents) == 2
    assert cli("wait", "birds", "--timeout", "0.2").code == 6
    assert cli("resolve", "birds", "release").code == 0
    assert cli("resume", "birds").code == 0
    assert cli("resolve", "birds", "release").code == 2
    assert cli("run", str(PENGUINS), "--backend", "openai", *PROMPT, "--canary", "0").code == 2


def test_a_canary_may_be_left_alone(cli: Cli, with_demo: Start) -> None:
    with_demo("duration=1s")
    arguments = [*PROMPT, "--set", "source.limit=5", "--set", "name=birds", "--canary", "2", "--detach"]
    ran = cli("run", str(PENGUINS), "--backend", "openai", *arguments)
    assert ran.code == 0
    assert "the canary is submitted" in ran.err
    assert cli("status", "birds", "--json").documents[0]["processing"] == 2
    assert cli("resume", "birds").code == 6
    assert cli("resolve", "birds", "release").code == 0
    assert cli("resume", "birds").code == 0


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 6)])
def test_a_canary_asks_on_a_terminal(cli: Cli, with_demo: Start, answer: str, code: int) -> None:
    pexpect = pytest.importorskip("pexpect")
    with_demo()
    arguments = [*PROMPT, "--set", "source.limit=5", "--set", "name=birds", "--canary", "2"]
    child = pexpect.spawn(
        sys.executable, ["-m", "batchtui", "run", str(PENGUINS), "--backend", "openai", *arguments],
        cwd=str(cli.folder), env=cli.environment(TERM="xterm"), encoding="utf-8", timeout=60,
    )  # fmt: skip
    child.expect("Adelie of 2007")
    child.expect("Release the other 3 jobs")
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code


def test_check_tells_of_every_backend(cli: Cli, with_demo: Start) -> None:
    with_demo()
    (cli.folder / "rows.csv").write_text("id,b\n1,chat\n2,openai\n3,openai\n")
    (cli.folder / "batch.toml").write_text(
        '[source]\nfile = "rows.csv"\n[job]\nbackend = "{{ b }}"\nmodel = "demo-small"\nprompt = "hi {{ id }}"\n'
    )
    checked = cli("check", "batch.toml")
    assert checked.code == 0, checked.err
    assert "chat: none, one call a job for 1 job; openai: 1 of 2 jobs" in checked.out
    (flight,) = cli("check", "batch.toml", "--json").documents
    assert [share["backend"] for share in flight["backends"]] == ["chat", "openai"]
    ran = cli("run", "batch.toml", "--json")
    assert ran.code == 0
    assert ran.documents[0]["backend"] == "chat, openai"
    assert [result["backend"] for result in cli("results", "batch").documents] == ["chat", "openai", "openai"]
    assert cli("run", "batch.toml", "--detach").code == 2
    assert cli("run", "batch.toml", "--backend", "openai", "--detach", "--again").code == 0


def test_a_results_folder_is_imported(cli: Cli) -> None:
    (cli.folder / "out").mkdir()
    result = {"job_id": "a", "raw_response": "hello", "input_tokens": 1, "output_tokens": 1, "error": None}
    (cli.folder / "out" / "a.json").write_text(json.dumps(result))
    ran = cli("import", "out")
    assert ran.code == 0, ran.err
    assert cli("results", ran.out.strip()).documents[0]["raw_response"] == "hello"
    assert cli("import", "nothing").code == 2
