"""`--json` holds for every command: what it gives is one JSON document, or a line of JSON each, whatever it did."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.cli.commands import COMMANDS
from batchtui.model import Json
from tests.cli.cli_help import Cli

WITH_A_SCREEN = {"open", "new", "serve", "demo"}
"""Refused without a terminal; what a server of the demo says is told by tests/demo."""
NOTHING_SOUND = {"errors", "notify"}
"""Lines of which there are none here."""
LINES: dict[str, tuple[str, ...]] = {
    "example": (),
    "check": ("birds.toml",),
    "run": ("birds.toml", "--trust"),
    "resume": ("birds",),
    "list": (),
    "status": ("birds",),
    "watch": ("birds",),
    "wait": ("birds",),
    "cancel": ("birds",),
    "pause": ("birds",),
    "retry": ("birds",),
    "clone": ("birds",),
    "collect": ("remote",),
    "limit": ("birds", "cost_usd=3"),
    "resolve": ("held", "release"),
    "rename": ("birds", "birds"),
    "archive": ("birds",),
    "tag": ("birds", "nice"),
    "remote": ("openai",),
    "adopt": ("openai", "{remote}"),
    "bundle": ("birds", "--out", "birds.batch"),
    "import": ("other.batch", "--trust"),
    "fsck": ("birds",),
    "rm": ("birds", "--yes"),
    "results": ("birds",),
    "export": ("birds", "--out", "birds.csv"),
    "show": ("birds", "1"),
    "errors": ("birds",),
    "view": ("birds", "table"),
    "diff": ("birds", "held"),
    "help": ("money",),
    "backends": (),
    "notify": (),
    "config": ("path",),
    "doctor": (),
    "prices": ("gpt-5-mini",),
    "keys": (),
    "completion": ("bash",),
}
MORE: list[tuple[str, ...]] = [
    ("example", "files"),
    ("config", "show", "--origin"),
    ("config", "check"),
    ("config", "init", "--config", "new.toml"),
    ("backends", "probe", "openai"),
    ("results", "birds", "--out", "birds.jsonl"),
    ("view", "birds"),
    ("view", "birds", "table", "--out", "table.csv"),
    ("help",),
    ("fsck",),
]


def test_every_command_is_tried() -> None:
    assert COMMANDS.keys() - WITH_A_SCREEN == LINES.keys()


@pytest.fixture
def stocked(cli: Cli, with_demo: Callable[..., object]) -> Cli:
    """With a batch of two programs, one that is held back, and one at a provider."""
    with_demo("duration=100ms")
    (cli.folder / "rows.csv").write_text("word\none\ntwo\n")
    text = 'backend = "local"\n[source]\nfile = "rows.csv"\n[job]\ncommand = ["echo", "{{ word }}"]\n'
    (cli.folder / "birds.toml").write_text(text)
    assert cli("run", "birds.toml", "--trust").code == 0
    assert cli("run", "birds.toml", "--trust", "--canary", "1", "--set", "name=held").code == 6
    return cli


def at_a_provider(cli: Cli) -> str:
    """The id that the provider gave the one submission of a batch named `remote`."""
    options = ("--backend", "openai", "--set", "job.model=demo-small", "--set", "job.prompt={{ word }}")
    assert cli("run", "rows.csv", *options, "--set", "name=remote").code == 0
    remote_id = cli("status", "remote", "--json").documents[0]["submissions"][0]["remote_id"]
    assert isinstance(remote_id, str)
    return remote_id


def given(cli: Cli, *line: str) -> list[Json]:
    ran = cli(*line, "--json")
    assert ran.code == 0, (line, ran.err)
    return ran.documents


@pytest.mark.parametrize("command", LINES)
def test_every_command_speaks_json(stocked: Cli, command: str) -> None:
    line = LINES[command]
    if command in ("collect", "adopt", "remote"):
        remote = at_a_provider(stocked)
        line = tuple(word.format(remote=remote) for word in line)
        if command == "adopt":
            assert stocked("rm", "remote", "--yes").code == 0
    if command == "import":
        assert stocked("bundle", "birds", "--out", "other.batch").code == 0
        assert stocked("rm", "birds", "--yes").code == 0
    said = given(stocked, command, *line)
    assert all(isinstance(one, dict) for one in said)
    assert said or command in NOTHING_SOUND


@pytest.mark.parametrize("line", MORE, ids=" ".join)
def test_its_other_forms_do_too(stocked: Cli, line: tuple[str, ...]) -> None:
    assert given(stocked, *line)


def test_what_an_act_has_nothing_to_do_for_is_told(stocked: Cli) -> None:
    """Words and JSON say so, and the exit code is 0: what was wished for is so already."""
    lines = [
        (("cancel", "birds"), "it has ended (2 completed)"),
        (("pause", "birds"), "it has ended (2 completed)"),
        (("retry", "birds"), "no job is meant by that"),
        (("limit", "birds", "cost_usd=3"), "it has ended (2 completed), and nothing of it can be sent again"),
        (("limit", "birds", "cost_usd="), "it has no limit cost_usd"),
        (("rename", "birds", "birds"), "it has that name"),
        (("archive", "birds", "--undo"), "it is not archived"),
        (("tag", "birds", "!away"), "it has no tags"),
        (("limit", "held", "canary=1"), "that is its limit already"),
    ]
    for line, why in lines:
        ran = stocked(*line, "--json")
        assert (ran.code, "done" in ran.err) == (0, False), line
        assert why in ran.err, line
        assert ran.err.endswith("; nothing to do\n"), line
        assert why in ran.documents[0]["nothing_to_do"], line
    done = stocked("limit", "held", "cost_usd=3", "--json").documents[0]
    assert (done["nothing_to_do"], done["cost_limit_usd"]) == (None, 3.0)
    assert stocked("pause", "held", "--json").documents[0]["nothing_to_do"] is None
    assert "it is paused already; `batchtui resume" in stocked("pause", "held").err
    assert stocked("archive", "birds", "--json").documents[0]["archived"]
    assert "it is archived already" in stocked("archive", "birds").err
    assert "archived" not in stocked("list").out
    assert "completed (archived)" in stocked("list", "--all").out


def test_a_limit_of_an_ended_batch_holds_for_what_is_sent_again(cli: Cli, tmp_path: Path) -> None:
    line = ("run", "--backend", "local", "--set", 'job.command=["test", "-e", "go"]', "--set", "name=gone")
    (tmp_path / "one.csv").write_text("word\na\n")
    assert cli(line[0], "one.csv", *line[1:]).code == 1
    ran = cli("limit", "gone", "cost_usd=3")
    assert (ran.code, "limit done" in ran.err, "batchtui retry" in ran.err) == (0, True, True)
