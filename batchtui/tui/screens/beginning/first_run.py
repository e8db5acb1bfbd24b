"""What is shown where there are no batches: what to do first."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Paste
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from batchtui import examples
from batchtui.config import key_state
from batchtui.engine.plan.consent.trusted import Trusted
from batchtui.errors import BadInput
from batchtui.tui.actions import table as actions
from batchtui.tui.actions.demo import demo
from batchtui.tui.screens.asking.pick import Pick
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.screens.beginning.adding_provider import add_provider
from batchtui.tui.screens.beginning.own_file import ask_for_file, take_file
from batchtui.tui.screens.beginning.tour import Tour
from batchtui.tui.screens.setup.backends import BackendsScreen
from batchtui.tui.widgets.outside import shown

_CHOICES = (
    ("new", "n", "Compose a batch", "a program for every row of a file, without a key"),
    ("example", "e", "Take an example", "a ready batch with its rows, written here"),
    ("file", "f", "A file of your own", "typed, or dropped here: what it holds, a batch"),
    ("provider", "p", "A provider", "which keys were found; one is tested, then added"),
    ("demo", "d", "Practice", "sample batches, a server on this machine, no key"),
    ("tour", "t", "The tour", "two minutes; any key leaves"),
    ("help", "?", "Help", "keys, states, and what quitting means"),
    ("list", "esc", "Go on", "to the list of batches"),
)


class FirstRunScreen(AppScreen):
    """Over the empty list of batches."""

    place = "first_run"
    BINDINGS = actions.bindings("first_run")
    AUTO_FOCUS = ""

    def on_mount(self) -> None:
        """The choices take the keys; where long paths make the page longer than the screen, it still shows its top."""
        self.query_one(OptionList).focus(scroll_visible=False)

    def body(self) -> ComposeResult:
        with VerticalScroll(id="first-run", can_focus=False):
            yield Static(Content.styled("One terminal for every batch.", "bold"), id="first-run-title")
            yield Static("Nothing leaves this machine until you confirm a submit.", classes="first-run-text")
            yield OptionList(*(Option(_choice(*words), id=name) for name, *words in _CHOICES), compact=True)
            yield Static(Content.styled("Backends", "bold"), classes="first-run-title")
            yield Static(self._backends(), id="first-run-backends", classes="first-run-text")
            yield Static(Content.styled("Files", "bold"), classes="first-run-title")
            yield Static(self._files(), classes="first-run-text")

    def _backends(self) -> Content:
        """Every backend that is there, and whether its key is; never the key."""
        configured = self.tui.config.backends
        width = max((len(name) for name in configured), default=0)
        lines = []
        for name, backend in configured.items():
            state = key_state(backend)
            kind = f"{backend.kind}, " if backend.kind != name else ""
            lines.append(Content.assemble(shown(name.ljust(width + 2)), (kind, "dim"), shown(state, "dim")))
        lines.append(
            Content.styled(
                f"A key in its usual variable makes a backend appear; {self.tui.key('first_run.backends')} asks them.",
                "dim",
            )
        )
        return Content("\n").join(lines)

    def _files(self) -> Content:
        config = self.tui.config
        state = "" if config.exists else "\n        not there yet: `batchtui config init` writes one"
        return Content("\n").join(
            [
                Content.assemble(("config  ", "dim"), shown(config.path), (state, "dim")),
                Content.assemble(("data    ", "dim"), shown(self.tui.data_dir)),
            ]
        )

    @on(OptionList.OptionSelected)
    async def choose(self, event: OptionList.OptionSelected) -> None:
        await self.run_action(
            {
                "new": "batch_new",
                "example": "first_run_example",
                "file": "first_run_file",
                "provider": "first_run_provider",
                "tour": "first_run_tour",
                "demo": "first_run_demo",
                "help": "app.app_help",
            }.get(event.option_id or "", "app.screen_back")
        )

    def action_batch_new(self) -> None:
        self.dismiss()
        self.tui.compose_batch()

    def action_first_run_example(self) -> None:
        """One is chosen, written into a folder of its name, and opened in the editor."""
        listed = [(one.name, one.about) for one in examples.examples()]
        self.tui.push_screen(Pick("Examples", listed), self._take_example)

    def _take_example(self, name: str | None) -> None:
        if name is None:
            return
        try:
            examples.write(name, Path.cwd())
        except BadInput as fault:
            self.tui.say(fault, "error")
            return
        batch = Path.cwd() / name / examples.find(name).run
        Trusted(self.tui.data_dir).own(batch)
        self.dismiss()
        self.tui.compose_batch(path=batch)

    def action_first_run_file(self) -> None:
        ask_for_file(self.tui)

    def on_paste(self, event: Paste) -> None:
        """A file that is dropped on the terminal."""
        event.stop()
        take_file(self.tui, event.text)

    def action_first_run_provider(self) -> None:
        add_provider(self.tui, lambda: self.query_one("#first-run-backends", Static).update(self._backends()))

    def action_first_run_tour(self) -> None:
        self.tui.push_screen(Tour())

    def action_first_run_backends(self) -> None:
        self.tui.push_screen(BackendsScreen())

    def action_first_run_demo(self) -> None:
        demo(self.tui)


def _choice(key: str, title: str, about: str) -> Content:
    return Content.assemble((f" {key.ljust(4)}", "bold $accent"), title.ljust(20), (about, "dim"))
