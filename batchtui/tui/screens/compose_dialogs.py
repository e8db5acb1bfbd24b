"""Questions of the compose screen: a path, and the last word before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Static

from batchtui.model import Preflight
from batchtui.text import cell
from batchtui.tui.screens.dialogs import Confirm, Dialog
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.path_input import PathInput
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


def confirm_submit(name: str, flight: Preflight) -> Confirm:
    """The one question before a batch is made: how many, where to, and what it may cost."""
    plural = "" if flight.jobs == 1 else "s"
    lines = [f"{label.ljust(13)}{value}" for label, value in check_figures(flight)]
    kind = f", of kind {flight.kind}" if flight.kind != flight.backend else ""
    lines.append(f"{'backend'.ljust(13)}{flight.backend}{kind}")
    if isinstance(flight.first, dict) and "command" in flight.first:
        lines.append(
            f"{'runs first'.ljust(13)}{cell(json.dumps(flight.first['command'], ensure_ascii=False), 120)}"
        )
    warnings = [problem for problem in flight.problems if not problem.fatal]
    lines += [f"~ {cell(str(problem))}" for problem in warnings[:5]]
    lines += ["", "Nothing was sent yet."]
    title = f"Submit {cell(name, 40)}: {flight.jobs:,} job{plural} to {cell(flight.backend or '', 40)}?"
    return Confirm(title, "\n".join(lines), yes="Submit", no="Not now")
