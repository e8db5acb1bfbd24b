"""Notices by the terminal: the bytes that a pseudo-terminal sees, of `resume` with the app closed and of the app itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from tests.cli.cli_help import PENGUINS, PROMPT, Cli
from tests.terminal.terminals import Pty

SEQUENCES = {
    9: b"\x1b]9;batchtui: a;b is done (2 completed",
    777: b"\x1b]777;notify;a,b is done;2 completed",
    99: b"\x1b]99;i=batchtui:d=0;a;b is done\x1b\\\x1b]99;i=batchtui:d=1:p=body;2 completed",
}


def submitted(env: dict[str, str], tmp_path: Path, server: DemoServer, settings: str) -> None:
    """A batch that lives at the server, and nobody here who drives it."""
    config = tmp_path / "config.toml"
    server.write_config(config)
    config.write_text(f"{config.read_text()}\n[notify]\n{settings}\n")
    cli = Cli(tmp_path, env)
    done = cli("run", str(PENGUINS), "--set", "source.limit=2", "--yes", "--backend", "openai", *PROMPT,
               "--set", "name=a;b", "--detach")  # fmt: skip
    assert done.code == 0, done.err


@pytest.mark.parametrize("osc", [9, 777, 99])
def test_resume_in_another_process_tells_its_terminal(
    env: dict[str, str], tmp_path: Path, demo_server: Callable[..., DemoServer], osc: int
) -> None:
    submitted(env, tmp_path, demo_server(), f"osc = {osc}")
    pty = Pty(env, "resume")
    try:
        assert pty.ended() == 0
        assert pty.written.count(SEQUENCES[osc]) == 1
        assert b"\a" not in pty.written
    finally:
        pty.close()


def test_the_bell_reaches_the_terminal_though_the_output_goes_elsewhere(
    env: dict[str, str], tmp_path: Path, demo_server: Callable[..., DemoServer]
) -> None:
    submitted(env, tmp_path, demo_server(), "bell = true")
    shell = Pty(env, "-c", f"python -m batchtui resume > {tmp_path}/log 2>&1", program=("sh",))
    try:
        assert shell.ended() == 0
        assert shell.written == b"\a"
    finally:
        shell.close()


def test_tmux_is_asked_to_pass_it_on(
    env: dict[str, str], tmp_path: Path, demo_server: Callable[..., DemoServer]
) -> None:
    submitted(env, tmp_path, demo_server(), "osc = 9")
    pty = Pty(env | {"TMUX": "/tmp/x,1,0"}, "resume")
    try:
        assert pty.ended() == 0
        assert b"\x1bPtmux;\x1b" + SEQUENCES[9] in pty.written
    finally:
        pty.close()


def test_the_app_tells_its_terminal_between_what_it_paints(
    env: dict[str, str], tmp_path: Path, demo_server: Callable[..., DemoServer]
) -> None:
    submitted(env, tmp_path, demo_server(), "osc = 777\nbell = true")
    app = Pty(env)
    try:
        app.shows(SEQUENCES[777])
        app.shows(b"\a")
        app.shown("completed")
        app.press(b"q")
        assert app.ended() == 0
        assert app.written.count(SEQUENCES[777]) == 1
    finally:
        app.close()
