"""Notices, each received by a real receiver: a server, a program, a file; by `run`, and by `resume` once all else is closed."""

from __future__ import annotations

import json
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from batchtui.model import Json
from tests.cli.cli_help import PENGUINS, PROMPT, Cli, until
from tests.cli.notice_help import Receiver, receiver

ROWS = (str(PENGUINS), "--set", "source.limit=3", "--trust", "--yes")
REMOTE = (*ROWS, "--backend", "openai", *PROMPT)
SECRET = "T0SECRET99/B0SECRET99/hookhookhook"


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


def configure(cli: Cli, text: str) -> None:
    path = cli.folder / "config.toml"
    path.write_text(f"{path.read_text()}\n{text}")


def by_command(cli: Cli) -> str:
    """Settings of a command that keeps every notice in a file."""
    return f'command = ["sh", "-c", "cat >> {cli.folder}/told.jsonl; env > {cli.folder}/env"]\n'


def told(cli: Cli) -> list[Json]:
    path = cli.folder / "told.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def local(cli: Cli, command: str, *more: str) -> tuple[int, str]:
    ran = cli("run", *ROWS, "--backend", "local", "--set", f'job.command=["sh", "-c", "{command}"]', *more)
    return ran.code, ran.err


def stored(cli: Cli) -> bytes:
    """Everything that is in a file of ours."""
    return b"".join(path.read_bytes() for path in (cli.folder / "data").rglob("*") if path.is_file())


def test_a_server_and_a_program_are_told_once_by_resume_in_another_process(
    cli: Cli, with_demo: Callable[..., DemoServer], hook: Receiver
) -> None:
    with_demo("duration=2s")
    configure(cli, f'[notify]\nwebhook = "{hook.url}/in"\n{by_command(cli)}')
    assert cli("run", *REMOTE, "--set", "name=away", "--detach").code == 0
    assert hook.calls == []
    both = [cli.start("resume"), cli.start("resume")]
    for one in both:
        _, words = one.communicate(timeout=60)
        assert one.returncode == 0, words
    (call,) = hook.calls
    assert (call.path, call.body["event"], call.body["name"]) == ("/in", "ended", "away")
    assert (call.body["completed"], call.body["total"], call.body["title"]) == (3, 3, "away is done")
    (line,) = told(cli)
    assert line["batch"] == call.body["batch"]
    assert "NOTICE_TITLE=away is done\n" in (cli.folder / "env").read_text()
    (file,) = (cli.folder / "data").glob("batches/*/notices.jsonl")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert cli("resume", "away").code == 0
    assert (len(hook.calls), len(told(cli))) == (1, 1)


def test_an_end_with_failures_is_told_as_such_and_a_retry_ends_anew(cli: Cli, hook: Receiver) -> None:
    configure(
        cli,
        f'[notify.rules.bad]\nwebhook = "{hook.url}"\non = ["failed"]\n[notify.rules.all]\n{by_command(cli)}',
    )
    done = f"test -e {cli.folder}/well"
    assert local(cli, done, "--set", "name=k")[0] == 1
    assert hook.events() == ["failed"]
    assert hook.calls[0].body["title"] == "k: 3 of 3 jobs did not complete"
    (cli.folder / "well").touch()
    assert cli("retry", "k").code == 0
    assert cli("resume", "k").code == 0
    assert hook.events() == ["failed"]
    assert [one["event"] for one in told(cli)] == ["failed", "ended"]


def test_what_waits_for_a_person_is_told_once_whoever_drives_it_next(
    cli: Cli, with_demo: Callable[..., DemoServer], hook: Receiver
) -> None:
    with_demo()
    configure(cli, f'[notify]\nwebhook = "{hook.url}"\n')
    cli("run", *REMOTE, "--set", "name=birds", "--canary", "1")
    assert hook.events() == ["person"]
    assert hook.calls[0].body["title"] == "birds waits for you"
    cli("resume", "birds")
    assert hook.events() == ["person"]
    assert cli("resolve", "birds", "release").code == 0
    assert cli("resume", "birds").code == 0
    assert hook.events() == ["person", "ended"]


def test_a_share_of_the_budget_and_an_expiry_are_told(
    cli: Cli, with_demo: Callable[..., DemoServer], hook: Receiver
) -> None:
    with_demo("duration=2s")
    configure(
        cli, f'[notify]\nwebhook = "{hook.url}"\non = ["expiry", "budget"]\nbudget = 0.005\nexpiry = "2d"\n'
    )
    ran = cli("run", *REMOTE, "--set", "name=b", "--set", "limits.cost_usd=0.005", "--set", "job.max_tokens=50",
              "--set", "limits.jobs_per_submission=1", "--set", "limits.submissions_at_once=1")  # fmt: skip
    assert ran.code == 0, ran.err
    assert hook.events().count("budget") == 1
    assert hook.events().count("expiry") == 3
    assert {"budget", "expiry"} == set(hook.events())


def test_a_batch_says_who_is_told_of_what_and_names_that_are_wrong(cli: Cli, hook: Receiver) -> None:
    configure(
        cli, f'[notify]\n{by_command(cli)}[notify.rules.night]\nwebhook = "{hook.url}"\nbatches = "night-*"\n'
    )
    assert local(cli, "true", "--set", "notify.to=['night']", "--set", "name=one")[0] == 0
    assert (hook.events(), told(cli)) == (["ended"], [])
    assert local(cli, "true", "--set", "notify.on=[]", "--set", "name=night-2")[0] == 0
    assert local(cli, "true", "--set", "name=day")[0] == 0
    assert (len(hook.calls), [one["name"] for one in told(cli)]) == (1, ["day"])
    assert local(cli, "true", "--set", "name=night-3")[0] == 0
    assert [call.body["name"] for call in hook.calls] == ["one", "night-3"]
    _, words = local(cli, "true", "--set", "notify.to=['nigth']", "--set", "name=x")
    assert 'no receiver "nigth" in [notify]; did you mean "night"?' in words


def test_a_receiver_that_fails_is_told_and_work_goes_on(cli: Cli, hook: Receiver) -> None:
    hook.statuses[:] = [503]
    configure(
        cli,
        f'[notify]\nwebhook = "{hook.url}"\n[notify.rules.gone]\nwebhook = "http://127.0.0.1:9/{SECRET}"\n'
        '[notify.rules.no]\ncommand = ["/nonexistent/program"]\n',
    )
    code, words = local(cli, "true")
    assert code == 0
    assert len(hook.calls) == 2, "asked again after a fault that passes"
    assert "notice by gone: cannot connect to http://127.0.0.1:9" in words
    assert "notice by no: /nonexistent/program cannot be started" in words
    assert "notice by webhook" not in words
    assert SECRET not in words


def test_a_receiver_that_never_answers_holds_nothing_up_at_the_end(cli: Cli, hook: Receiver) -> None:
    hook.silent.set()
    configure(cli, f'[notify]\nwebhook = "{hook.url}"\n')
    process = cli.start(
        "run", *ROWS, "--backend", "local", "--set", 'job.command=["true"]', "--set", "name=h"
    )
    until(lambda: bool(hook.calls))
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=20)
    assert process.returncode in (0, 130), words
    assert '"completed":3' in cli("status", "h", "--json").out.replace(" ", "")


def test_killed_and_resumed_everything_is_told_once(
    cli: Cli, with_demo: Callable[..., DemoServer], hook: Receiver
) -> None:
    with_demo("duration=10s")
    configure(cli, f'[notify]\nwebhook = "{hook.url}"\nexpiry = "2d"\n')
    assert cli("run", *REMOTE, "--set", "name=k", "--detach").code == 0
    first = cli.start("resume")
    until(lambda: "expiry" in hook.events())
    first.kill()
    first.communicate()
    assert cli("resume").code == 0
    assert sorted(hook.events()) == ["ended", "expiry"]


def test_words_from_elsewhere_are_clean_and_call_nobody(cli: Cli, hook: Receiver) -> None:
    name = "<!channel> @everyone \x1b]0;x\x07 **[a](http://b)**"
    configure(cli, "".join(
        f'[notify.rules.{form}]\nwebhook = "{hook.url}/t/{form}"\nform = "{form}"\n'
        for form in ("slack", "discord", "ntfy", "json")
    ))  # fmt: skip
    assert local(cli, "true", "--set", f"name={name}")[0] == 0
    bodies = {call.path: call.body for call in hook.calls}
    assert set(bodies) == {"/t/slack", "/t/discord", "/t", "/t/json"}
    assert "\x1b" not in json.dumps(bodies)
    assert "\\u001b" not in json.dumps(bodies)
    assert bodies["/t/slack"]["text"].startswith("*&lt;!channel&gt;")
    assert bodies["/t/discord"]["allowed_mentions"] == {"parse": []}
    assert "\\[a\\]\\(http" in bodies["/t/discord"]["content"]
    assert (bodies["/t"]["topic"], bodies["/t"]["tags"]) == ("ntfy", ["white_check_mark"])
    assert bodies["/t/json"]["event"] == "ended"


def test_keys_come_from_the_environment_and_stand_in_no_file(cli: Cli, hook: Receiver) -> None:
    configure(
        cli,
        f'[notify]\nwebhook = "env:HOOK"\nform = "slack"\ntoken_env = "HOOK_TOKEN"\n[notify.rules.c]\n{by_command(cli)}',
    )
    cli.env = {"HOOK": f"{hook.url}/services/{SECRET}", "HOOK_TOKEN": "tk_very_secret_token_1"}
    hook.statuses[:] = [403]
    code, words = local(cli, "env", "--set", "name=k")
    assert code == 0
    assert "notice by webhook: " in words
    (call,) = hook.calls
    assert (call.path, call.token) == (f"/services/{SECRET}", "Bearer tk_very_secret_token_1")
    for hidden in (SECRET, "tk_very_secret"):
        assert hidden not in words
        assert hidden.encode() not in stored(cli)
        assert hidden not in cli("config", "show", "--origin").out
    for name in ("HOOK=", "HOOK_TOKEN="):
        assert name not in (cli.folder / "env").read_text()
        assert name.encode() not in stored(cli), "jobs see no key of a receiver either"


def test_each_receiver_can_be_tried(cli: Cli, hook: Receiver) -> None:
    configure(cli, f'[notify]\n{by_command(cli)}[notify.rules.team]\nwebhook = "{hook.url}"\n')
    assert [one["name"] for one in cli("notify", "--json").documents] == ["command", "team"]
    one = cli("notify", "test", "team")
    assert (one.code, one.out) == (0, "team (webhook): told\n")
    assert told(cli) == []
    assert cli("notify", "test").code == 0
    assert (len(hook.calls), told(cli)[0]["title"]) == (2, "a test")
    wrong = cli("notify", "test", "taem")
    assert wrong.code == 2
    assert 'did you mean "team"' in wrong.err
    hook.statuses[:] = [404]
    refused = cli("notify", "test", "team", "--json")
    assert (refused.code, refused.documents[0]["ok"]) == (4, False)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('webhok = "x"', 'unknown key; did you mean "webhook"?'),
        ('webhook = "https://hooks.slack.com/services/T/B/x"', 'put it into a variable, as "env:NAME"'),
        ('webhook = "http://example.com/x"', "in clear"),
        ('on = ["endet"]', "endet"),
        ("budget = 80", "expected a share from 0 to 1"),
        ('[notify.rules.x]\non = ["ended"]', "tells nobody"),
    ],
)
def test_a_table_that_is_wrong_is_told_and_stops_no_work(cli: Cli, table: str, words: str) -> None:
    configure(cli, f"[notify]\n{table}\n")
    assert words in cli("config", "check").err
    tried = cli("notify", "test")
    assert tried.code == 3
    code, said = local(cli, "true")
    assert code == 0
    assert "is at fault, so nobody is told: `batchtui config check` says why" in said


def test_the_desktop_is_told_by_its_own_program(cli: Cli, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "notify-send").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/shown\n')
    (programs / "notify-send").chmod(0o755)
    configure(cli, "[notify]\ndesktop = true\n")
    cli.env = {"PATH": f"{programs}:{cli.environment()['PATH']}"}
    assert local(cli, "true", "--set", "name=<b>k")[0] == 0
    assert (tmp_path / "shown").read_text().splitlines()[1:] == [
        "--",
        "batchtui: <b>k is done",
        "3 completed",
    ]
