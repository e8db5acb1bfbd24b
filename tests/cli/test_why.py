"""Each wait has a cause that can be read, and what cannot be driven says so once: by the command line, over sockets."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from tests.cli.cli_help import PENGUINS, PROMPT, Cli, until
from tests.engine.provider import Provider

HTML = b"<!doctype html><html><body>Please log in</body></html>"
REMOTE = (
    str(PENGUINS),
    "--backend",
    "openai",
    *PROMPT,
    "--set",
    "source.limit=3",
    "--set",
    "name=k",
    "--no-input",
)


def reply(status: str, body: bytes, kind: str = "text/html") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


POLLS = {
    "a page of HTML": (reply("200 OK", HTML), "HTML"),
    "nothing at all": (reply("204 No Content", b""), "(204) is empty"),
    "a server error": (reply("502 Bad Gateway", HTML), "502"),
    "no JSON": (reply("200 OK", b"pardon?", "application/json"), "JSON"),
}


@pytest.mark.parametrize("name", POLLS)
def test_polls_that_come_to_nothing_are_told_with_their_cause_and_since_when(
    tmp_path: Path, cli: Cli, name: str
) -> None:
    answer, words = POLLS[name]
    with Provider(lambda ids: {}, status="in_progress") as provider:
        provider.bench(tmp_path).close()
        provider.raw["GET /v1/batches/batch_1"] = [answer] * 1000
        run = cli.start("run", *REMOTE)
        assert run.stderr is not None
        err = ""
        try:

            def told() -> list[dict[str, object]]:
                ran = cli("status", "k", "--json")
                found = ran.documents[0]["submissions"] if ran.code == 0 and ran.documents else []
                return [one for one in found if one["trouble"]]

            until(lambda: bool(told()))
            (one,) = told()
            assert words in str(one["reason"])
            assert one["reason"] == one["trouble"]
            assert one["reason_kind"]
            assert one["trouble_since"]
            assert one["status"] in ("submitted", "processing")
            shown = cli("status", "k").out
            assert "last contact" in shown
            assert words in shown
            journal = next((tmp_path / "data/batches").glob("*/events.jsonl"))
            before = journal.stat().st_size
            asked = len(provider.calls)
            until(lambda: len(provider.calls) > asked + 2)
            assert journal.stat().st_size == before
            provider.raw.clear()
            until(lambda: not told())
            while "answers again" not in err:
                line = run.stderr.readline()
                assert line, err
                err += line
        finally:
            run.send_signal(signal.SIGTERM)
            _, rest = run.communicate(timeout=60)
        err += rest
        lines = [line for line in err.splitlines() if "has not answered as it should since" in line]
        assert len(lines) == 1
        assert words in lines[0]
        assert "answers again" in err


def test_a_server_that_is_not_there_is_told_once_on_stderr(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[backends.openai]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nsettle = 0.2\n'
    )
    run = cli.start("run", *REMOTE)
    assert run.stderr is not None
    told = ""
    while "has not answered as it should since" not in told:
        line = run.stderr.readline()
        assert line, told
        told += line
    until(lambda: _reason(cli) is not None)
    run.send_signal(signal.SIGTERM)
    err = told + run.communicate(timeout=60)[1]
    assert err.count("has not answered as it should since") == 1
    assert "refused" in err.lower() or "connect" in err.lower()


def _reason(cli: Cli) -> str | None:
    ran = cli("status", "k", "--json")
    found = ran.documents[0]["submissions"] if ran.code == 0 and ran.documents else []
    return next((one["reason"] for one in found if one["reason"]), None)


# ---- what cannot be driven


def _left_alone(cli: Cli, with_demo: Callable[..., DemoServer]) -> Path:
    """A batch that is under way and that nobody drives."""
    with_demo("duration=60s")
    assert cli("run", *REMOTE, "--detach").code == 0
    (folder,) = (cli.folder / "data/batches").iterdir()
    return folder


@pytest.mark.parametrize("verbose", [(), ("-v",)])
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("name", ["events.jsonl", "results.jsonl"])
def test_files_that_are_links_are_told_once_and_nothing_hangs(
    cli: Cli, with_demo: Callable[..., DemoServer], name: str, whole: bool, verbose: tuple[str, ...]
) -> None:
    folder = _left_alone(cli, with_demo)
    (folder / name).rename(cli.folder / name)
    (folder / name).symlink_to(cli.folder / name)
    ran = cli("resume", *(() if whole else ("k",)), *verbose)
    assert ran.code == 1
    assert "is a symbolic link" in ran.err
    assert ran.err.count("is a symbolic link") <= 1 + len(verbose)


def test_a_submission_on_a_backend_of_another_kind_is_told_once(
    cli: Cli, with_demo: Callable[..., DemoServer]
) -> None:
    _left_alone(cli, with_demo)
    config = cli.folder / "config.toml"
    config.write_text('[backends.openai]\nkind = "chat"\nbase_url = "http://127.0.0.1:9/v1"\n')
    ran = cli("resume", "k")
    assert ran.code == 1
    assert 'submission 1 is at backend "openai", which is of kind chat now' in ran.err
    assert ran.err.count("which is of kind chat now") == 1
    assert cli("resume", "k").code == 1


def test_a_backend_that_is_gone_from_the_config_is_told_once(
    cli: Cli, with_demo: Callable[..., DemoServer]
) -> None:
    _left_alone(cli, with_demo)
    (cli.folder / "config.toml").write_text("")
    ran = cli("resume", "k")
    assert ran.code == 3
    assert ran.err.count("OPENAI_API_KEY is not set") == 1  # what a backend of that name is without a table


# ---- beside a live driver


def test_resume_beside_a_driver_follows_it_and_takes_over_when_it_dies(
    cli: Cli, with_demo: Callable[..., DemoServer]
) -> None:
    server = with_demo("duration=20s")  # of the first submission; it lives until the others have come
    first = cli.start("run", str(PENGUINS), "--backend", "openai", *PROMPT, "--set", "source.limit=9", "--set",
                      "name=k", "--set", "limits.jobs_per_submission=3", "--set", "limits.submissions_at_once=1",
                      "--no-input")  # fmt: skip
    until(lambda: bool(server.ledger()))
    alone = cli("resume", "k", "--no-wait")
    assert alone.code == 6
    assert "is driven by pid" in alone.err
    assert cli("resume", "--no-wait").code == 6
    followers = [cli.start("resume", "k"), cli.start("resume")]
    for follower in followers:
        assert follower.stderr
        assert "is followed" in follower.stderr.readline()
    server.faults.duration = None
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    for follower in followers:
        _, err = follower.communicate(timeout=60)
        assert follower.returncode == 0, err
        assert "9 completed" in err
    paid = [job for entry in server.ledger() if entry["op"] == "create" for job in entry["job_ids"]]
    assert sorted(paid) == sorted(set(paid))
    assert json.loads(cli("status", "k", "--json").out)["completed"] == 9


def test_resume_that_follows_exits_as_the_batch_ends(cli: Cli, tmp_path: Path) -> None:
    script = f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; exit 3"
    first = cli.start("run", str(PENGUINS), "--backend", "local", "--set", f'job.command=["sh", "-c", "{script}"]',
                      "--set", "source.limit=1", "--set", "name=k", "--no-input", "--trust")  # fmt: skip
    until(lambda: bool(list((tmp_path / "data").glob("batches/*/holder.json"))))
    follower = cli.start("resume", "k")
    assert follower.stderr
    assert "is followed" in follower.stderr.readline()
    (tmp_path / "go").touch()
    first.communicate(timeout=60)
    follower.communicate(timeout=60)
    assert (first.returncode, follower.returncode) == (1, 1)
