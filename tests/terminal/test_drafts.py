"""Killed at any moment of composing, or left by `q`: nothing that was typed more than two seconds ago is lost."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.terminal.terminals import Pty, Tmux

LOST_SECONDS = 2.0
PER_KEY = 0.1


def drafts(tmp_path: Path) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in (tmp_path / "data" / "drafts").glob("*.json")]


def in_command(app: Pty) -> None:
    """The form, with the cursor where a command is typed."""
    app.shown("local")
    app.press(b"2")
    app.shown("Source")
    app.shown("on this machine")
    for _ in range(3):
        app.press(b"\t")
        app.settle()


@pytest.mark.parametrize("seconds", [2.6, 4.1])
def test_killed_while_keys_come_in(env: dict[str, str], tmp_path: Path, seconds: float) -> None:
    typed: list[float] = []
    app = Pty(env)
    try:
        in_command(app)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            app.press(b"abcdefghij"[len(typed) % 10 :][:1])
            typed.append(time.monotonic())
            while time.monotonic() < typed[-1] + PER_KEY:
                app.read(0.01)
        killed = time.monotonic()
        app.signal(signal.SIGKILL)
        app.ended()
    finally:
        app.close()
    due = sum(at < killed - LOST_SECONDS for at in typed)
    (draft,) = drafts(tmp_path)
    values = draft["values"]
    assert isinstance(values, dict)
    assert ("abcdefghij" * 200).startswith(values["job.command"])
    assert len(values["job.command"]) >= due > 2
    again = Pty(env, size=(160, 48))
    try:
        again.shown("local")
        again.press(b"2")
        again.shown("draft of [0-9]{2}:[0-9]{2}")
        again.shown(values["job.command"])
    finally:
        again.close()


def test_q_keeps_the_form_and_no_draft_is_left_of_what_was_submitted(
    env: dict[str, str], tmp_path: Path
) -> None:
    tmux = Tmux(env)
    try:
        tmux.shows("local")
        tmux.press("2")
        tmux.shows("Source", "on this machine")
        tmux.press("Tab", "Tab", "Tab")
        tmux.type("echo of a draft")
        tmux.shows("echo of a draft")
        tmux.press("Escape", "q")
        tmux.shows("[left with 0]")
    finally:
        tmux.close()
    (draft,) = drafts(tmp_path)
    values = draft["values"]
    assert isinstance(values, dict)
    assert values["job.command"] == "echo of a draft"
    again = Tmux(env)
    try:
        again.shows("local")
        again.press("2")
        again.shows("draft of ", "echo of a draft")
        again.press("F9")
        again.shows("Nothing was sent yet")
        again.press("y")
        again.shows("completed")
        assert drafts(tmp_path) == []
    finally:
        again.close()
