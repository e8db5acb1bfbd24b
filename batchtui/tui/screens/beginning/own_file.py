"""A file of one's own: what it holds, and the batch that is proposed for it, before the editor opens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from batchtui import batchfile
from batchtui.errors import BadInput, BatchtuiError
from batchtui.model import BatchSpec
from batchtui.text import cell
from batchtui.tui.latest import Latest
from batchtui.tui.screens.asking.dialogs import Dialog
from batchtui.tui.screens.beginning.dropped import dropped_path
from batchtui.tui.screens.beginning.proposing import Contents, look_into, usual_place
from batchtui.tui.widgets.form.path_input import PathInput
from batchtui.tui.widgets.outside import shown, shown_page

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

_SCROLLS = {"up": -1, "down": 1, "pageup": -8, "pagedown": 8}


def ask_for_file(tui: BaseApp) -> None:
    """A path that is typed, completed by Tab, or dropped on the terminal."""

    def answered(text: str | None) -> None:
        if text and text.strip():
            take_file(tui, text)

    tui.ask(_AskFile(), answered)


def take_file(tui: BaseApp, text: str) -> None:
    """What was typed or dropped: a batch file is opened in the editor, anything else is looked into first."""
    try:
        path = dropped_path(text, Path.cwd())
    except BadInput as fault:
        tui.say(fault, "error")
        return
    if batchfile.is_batch_file(path):
        tui.leave_first_screen()
        tui.compose_batch(path=path)
        return

    def answered(spec: BatchSpec | None) -> None:
        if spec is not None:
            tui.leave_first_screen()
            tui.compose_batch(spec=spec, base=path.absolute().parent)

    tui.ask(OwnFile(path.absolute()), answered)


class _AskFile(Dialog[str | None]):
    def __init__(self) -> None:
        super().__init__(
            "A file of your own",
            "A table (CSV, TSV, JSON, JSONL, Parquet, spreadsheet), a folder, a scenario manifest, a provider's batch "
            "file or a batch file: type where it is, or drop it on the terminal.",
        )

    def answers(self) -> ComposeResult:
        yield PathInput("", base=Path.cwd(), placeholder="a path")
        yield Static(shown("Tab completes, enter looks into it, esc leaves everything as it is", "dim"))

    def on_mount(self) -> None:
        self.query_one(PathInput).focus()

    @on(Input.Submitted)
    def accept(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)


class OwnFile(Dialog[BatchSpec | None]):
    """Reads the file in a thread. Answers the proposed batch where enter was pressed."""

    class Looked(Message):
        def __init__(self, contents: Contents | str) -> None:
            super().__init__()
            self.contents = contents

    def __init__(self, path: Path) -> None:
        super().__init__(cell(path, 200))
        self._path = path
        self._contents: Contents | None = None
        self._latest = Latest(self)

    def answers(self) -> ComposeResult:
        with VerticalScroll(id="own-file", can_focus=False):
            yield Static(shown("reading …", "dim"), id="own-file-holds")
            yield Static(id="own-file-batch")
        yield Static(shown("esc leaves everything as it is", "dim"), id="own-file-keys")

    def on_mount(self) -> None:
        tui: BaseApp = self.app  # type: ignore[assignment]
        path, (backend, language) = self._path, usual_place(tui.config)

        def work() -> None:
            worker = get_current_worker()
            try:
                found: Contents | str = look_into(path, backend, language=language)
            except (BatchtuiError, OSError) as fault:
                found = str(fault)
            if not worker.is_cancelled:
                self.post_message(self.Looked(found))

        self._latest.start("look", work)

    @on(Looked)
    def _show(self, event: Looked) -> None:
        contents = event.contents
        holds, keys = self.query_one("#own-file-holds", Static), self.query_one("#own-file-keys", Static)
        fault = contents if isinstance(contents, str) else contents.fault
        if fault or isinstance(contents, str):
            holds.update(shown(fault, "$text-error", limit=600))
            return
        self._contents = contents
        holds.update(shown_page("\n".join(contents.lines())))
        batch = self.query_one("#own-file-batch", Static)
        batch.update(shown_page(contents.batch_file()))
        batch.border_title = "a batch file for it"
        batch.display = True
        keys.update(
            shown("enter opens it in the editor, up and down move, esc leaves everything as it is", "dim")
        )

    def on_key(self, event: events.Key) -> None:
        if event.key == "enter" and self._contents is not None:
            event.stop()
            self.dismiss(self._contents.spec)
        elif event.key in _SCROLLS:
            self.query_one("#own-file").scroll_relative(y=_SCROLLS[event.key], animate=False)
