"""Questions of the compose screen: a path, and the last word before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Static

from batchtui.amounts import counted
from batchtui.causes import by_cause
from batchtui.model import Json, Problem
from batchtui.preflight import Preflight
from batchtui.text import cell
from batchtui.tui.screens.asking.dialogs import Confirm, Dialog
from batchtui.tui.widgets.form.path_input import PathInput
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.preview import check_figures


class AskPath(Dialog[str | None]):
    """A path, completed by Tab; answers it absolute."""

    def __init__(self, title: str, body: str = "", *, value: str = "", base: Path) -> None:
        super().__init__(title, body)
        self._value, self._base = value, base

    def answers(self) -> ComposeResult:
        yield PathInput(self._value, base=self._base, placeholder="a path")
        yield Static(shown("Tab completes, enter accepts, esc leaves everything as it is", "dim"))

    @on(Input.Submitted)
    def accept(self, event: Input.Submitted) -> None:
        value = event.value.strip()
        self.dismiss(str(self._base / Path(value).expanduser()) if value else None)


def first_work(first: Json) -> list[tuple[str, str]]:
    """Label and value of what the first job runs here or on a cluster; nothing for what only a server does."""
    if not isinstance(first, dict):
        return []
    if "command" in first:
        return [("runs first", json.dumps(first["command"], ensure_ascii=False))]
    if "call" in first:
        return [
            ("calls first", f"{first['call']} {json.dumps(first.get('arguments', {}), ensure_ascii=False)}")
        ]
    if "task" in first:
        return [("solves first", f"{first['task']} of {Path(str(first.get('grid', ''))).name}")]
    return []


def doubts(flight: Preflight) -> list[Problem]:
    """What a limit in dollars cannot be kept for, and what would be paid for twice: whoever submits agrees to it."""
    return [problem for problem in flight.problems if problem.asks]


def confirm_trust(name: str, lines: list[str]) -> Confirm:
    """Asked before what a batch file from elsewhere says is run, uploaded, handed over or written."""
    body = "\n".join(f"It {line}." for line in lines)
    return Confirm(
        f"{cell(name, 40)} was not run before as it is now. Allow that?",
        f"{body}\n\nAllowed once, it is not asked again for this file as it is now.",
        yes="Allow", no="Send nothing",
    )  # fmt: skip


def confirm_submit(name: str, flight: Preflight) -> Confirm:
    """The one question before a batch is made: how many, where to, and what it may cost."""
    lines = [f"{label.ljust(13)}{value}" for label, value in check_figures(flight)]
    lines += [f"{label.ljust(13)}{cell(value, 120)}" for label, value in first_work(flight.first)]
    if flight.limits.canary is not None and flight.limits.canary < flight.jobs:
        lines.append(f"{'canary'.ljust(13)}the first {flight.limits.canary:,}; the rest once you release it")
    warnings = sorted(
        (cause for cause in by_cause(flight.problems) if not cause.first.fatal),
        key=lambda cause: not cause.first.asks,
    )
    lines += [f"~ {cell(str(cause))}" for cause in warnings[:5]]
    lines += [f"~ and {len(warnings) - 5:,} more warnings; the check shows them"] if len(warnings) > 5 else []
    lines += ["", "Nothing was sent yet."]
    title = f"Submit {cell(name, 40)}: {counted(flight.jobs, 'job')} to {cell(flight.backend or '', 40)}?"
    again = any(problem.asks == "again" for problem in flight.problems)
    return Confirm(title, "\n".join(lines), yes="Send again" if again else "Submit", no="Not now")
