"""Mistakes, help, streams and variables: what holds for every command."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from batchtui import __version__
from batchtui.cli.commands import COMMANDS
from tests.cli.cli_help import Cli


def test_version_imports_nothing_heavy(cli: Cli) -> None:
    probe = (
        "import sys; from batchtui.cli.entry import main; main(['--version']);"
        "print([m for m in ('argparse', 'asyncio', 'httpx', 'json', 'msgspec', 'rich', 'ssl', 'textual')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, env=cli.environment(), check=True
    )
    assert done.stdout.splitlines() == [f"batchtui {__version__}", "[]"]


def test_version_as_json(cli: Cli) -> None:
    assert json.loads(cli("--json", "--version").out) == {"version": __version__}


@pytest.mark.parametrize("heavy", ["textual", "httpx", "rich", "asyncio"])
def test_list_stays_light(cli: Cli, heavy: str) -> None:
    probe = (
        f"import sys; from batchtui.cli.entry import main; main(['list']); print('{heavy}' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, env=cli.environment(), check=True
    )
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("arguments", [(), ("open",), ("new",), ("demo",)])
def test_without_a_terminal_one_line_or_a_short_help_and_2(cli: Cli, arguments: tuple[str, ...]) -> None:
    ran = cli(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert (ran.err.count("\n") == 1) is bool(arguments)
    assert len(ran.err.splitlines()) < 15
    assert "terminal" in ran.err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("lst",), 'did you mean "list"?'),
        (("list", "--jsn"), 'did you mean "--json"?'),
        (("list", "--status", "procesing"), 'did you mean "processing"?'),
        (("results", "x", "--format", "xml"), 'results: --format: there is no "xml"; there are table, '),
        (("run",), "batchtui: run: FILE is missing; `batchtui run --help` shows what it takes"),
        (("diff",), "diff: ID is missing"),
        (("limit",), "limit: ID, KEY=VALUE are missing"),
        (("wait", "x", "--timeout"), "wait: --timeout: a value is missing"),
        (("resolve", "x", "releas"), 'resolve: action: there is no "releas"; did you mean "release"?'),
        (("list", "spare"), 'unexpected argument "spare"'),
        (("wait", "x", "--timeout", "soon"), "not a duration"),
        (("completion", "tcsh"), 'there is no "tcsh"'),
    ],
)
def test_mistakes_are_one_line_and_2(cli: Cli, arguments: tuple[str, ...], hint: str) -> None:
    ran = cli(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert hint in ran.err
    assert ran.err.count("\n") == 1


def test_help_names_every_command(cli: Cli) -> None:
    ran = cli("--help")
    assert ran.code == 0
    assert all(f"\n  {name} " in ran.out for name in COMMANDS)


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_has_help(cli: Cli, command: str) -> None:
    ran = cli(command, "--help")
    assert ran.code == 0
    assert "--data-dir" in ran.out


def test_common_options_stand_before_the_command_too(cli: Cli) -> None:
    elsewhere = cli.folder / "elsewhere"
    cli.local(["true"], "--set", "source.limit=1", "--data-dir", str(elsewhere))
    before = cli("--json", "--data-dir", str(elsewhere), "list")
    assert [batch["name"] for batch in before.documents] == ["birds"]
    assert cli("list", "--json").documents == []


def test_every_option_is_a_variable(cli: Cli) -> None:
    cli.local(["true"], "--set", "source.limit=1")
    assert cli("list", BATCHTUI_JSON="1").documents[0]["name"] == "birds"
    assert "birds" not in cli("list", BATCHTUI_STATUS="failed").out
    wrong = cli("list", BATCHTUI_JSON="maybe")
    assert wrong.code == 2
    assert "BATCHTUI_JSON" in wrong.err


def test_env_file_gives_keys_and_never_overrides(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text(
        '[backends.x]\nkind = "chat"\nbase_url = "http://127.0.0.1:9/v1"\napi_key_env = "MY_KEY"\n'
    )
    (cli.folder / "my.env").write_text("MY_KEY=sk-very-secret\n")
    shown = cli("backends", "--env-file", "my.env", "--json")
    assert "MY_KEY is set" in {row["name"]: row["key"] for row in shown.documents}["x"]
    assert "secret" not in shown.out + shown.err


def test_an_unknown_batch_is_7(cli: Cli) -> None:
    cli.local(["true"], "--set", "source.limit=1")
    for command in ("status", "results", "watch", "wait", "cancel", "rm", "errors", "resume"):
        ran = cli(command, "birdz")
        assert ran.code == 7
        assert 'did you mean "birds"?' in ran.err


def test_a_closed_pipe_is_silent(cli: Cli) -> None:
    cli.local(["echo", "{{ species }}"])
    process = cli.start("results", "birds")
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    process.wait(timeout=60)
    assert process.stderr.read() == ""


def test_a_full_disk_behind_stdout_is_said(cli: Cli) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "batchtui", "--help"],
            stdout=full, stderr=subprocess.PIPE, text=True, env=cli.environment(), check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_commands(cli: Cli, shell: str) -> None:
    ran = cli("completion", shell)
    assert ran.code == 0
    assert "resume" in ran.out


def test_keys_lists_ids_and_own_keys(cli: Cli) -> None:
    (cli.folder / "config.toml").write_text('[keys]\n"batch.cancel" = "c"\n')
    rows = {row["id"]: row for row in cli("keys", "--json").documents}
    assert rows["batch.cancel"]["keys"] == ["c"]
    assert rows["batch.cancel"]["changed"]
    assert not rows["app.quit"]["changed"]
