"""What there is to know, in two minutes: a page goes over into the next by itself, and any key leaves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from batchtui.tui.actions import table as actions
from batchtui.tui.screens.asking.dialogs import Dialog
from batchtui.tui.widgets.outside import shown

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

SECONDS = 15.0
"""That a page stands."""
PAGES: tuple[tuple[str, str], ...] = (
    ("Rows become jobs",
     "A batch is a list of jobs: one for every row of a table, a file of a folder, a record of a manifest. What a job "
     "does is said once, with the row's columns in it:\n\n"
     "   prompt = \"What does {{ species }} eat?\"\n   command = [\"wc\", \"-w\", \"{{ path }}\"]"),
    ("Where they run",
     "A backend is a place where jobs run: programs and power flow on this machine or a cluster, a model provider's "
     "batch or chat API, Daly, Buttermilk, any REST service. [first_run.provider] on the first screen tells which keys "
     "were found, and tests one."),
    ("Composing",
     "[batch.new] opens a form beside a preview of the job as it would be sent. [compose.next_row] steps through the "
     "rows, [compose.check] checks every one, [compose.save] saves a batch file. Nothing leaves this machine before "
     "[compose.submit] has said how many jobs go where and what they may cost, and you have agreed."),
    ("Money",
     "A cost limit is never passed, counting what is in flight, and no job is paid for twice: not after a crash, not "
     "after a lost connection. What nobody knows is shown as unknown, never as 0."),
    ("Watching",
     "[screen.batches] is the live list. [batch.open] opens a batch, a line for each job; once more reads its answer. "
     "[list.filter] narrows any list, [list.failed] shows what did not succeed, [batch.retry] tries that again."),
    ("When something needs you",
     "A batch that needs a person says so before its state: a key that was refused, a budget that is spent, a canary "
     "to release. [batch.resolve] tells what it is, and what can be done."),
    ("Leaving",
     "[app.quit] quits, and quitting is not cancelling: what runs at a provider goes on there. Opening the app again, "
     "or `batchtui resume` without a screen, picks everything up where it is."),
    ("Help",
     "[app.help] tells every key of the screen you are on, and m from there the manual's page on it. [app.palette] "
     "finds an action by its name. In a shell: `batchtui help`. Now try [first_run.example]: a ready batch with its "
     "rows, on this machine, without a key."),
)  # fmt: skip
_ACTION = re.compile(r"\[([a-z_]+\.[a-z_]+)\]")


class Tour(Dialog[None]):
    """Left and right turn the page."""

    def __init__(self) -> None:
        super().__init__("")
        self._page = 0

    def answers(self) -> ComposeResult:
        yield Static(id="tour-words")
        yield Static(id="tour-keys")

    def on_mount(self) -> None:
        self._clock = self.set_interval(SECONDS, self._go_on)
        self._show()

    def _go_on(self) -> None:
        if self._page + 1 < len(PAGES):
            self._turn(1)
        else:
            self.dismiss(None)

    def _turn(self, by: int) -> None:
        self._page = min(max(self._page + by, 0), len(PAGES) - 1)
        self._clock.reset()
        self._show()

    def _show(self) -> None:
        title, words = PAGES[self._page]
        self.query_one("#dialog-title", Static).update(shown(title, "bold"))
        tui = cast("BaseApp", self.app)
        parts: list[Content | tuple[str, str] | str] = []
        at = 0
        for found in _ACTION.finditer(words):
            parts += [words[at : found.start()], (tui.shown_keys(found[1])[0], "bold $accent")]
            at = found.end()
        self.query_one("#tour-words", Static).update(Content.assemble(*parts, words[at:]))
        where = f"{self._page + 1} of {len(PAGES)}   left and right turn the page, any other key leaves"
        self.query_one("#tour-keys", Static).update(shown(where, "dim"))

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if event.key in ("left", "right"):
            self._turn(1 if event.key == "right" else -1)
        elif event.key not in actions.BY_ID["app.suspend"].keys:
            self.dismiss(None)
