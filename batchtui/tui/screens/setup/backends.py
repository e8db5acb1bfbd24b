"""The configured backends: what they are, where their key comes from, and whether they answer when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable, Static
from textual.worker import get_current_worker

from batchtui.backends.base import Probe
from batchtui.backends.registry import broken
from batchtui.catalog import card_of
from batchtui.config import key_state
from batchtui.model import JobState
from batchtui.text import page
from batchtui.tui.actions import table as actions
from batchtui.tui.models.offered import ask
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.screens.beginning.adding_provider import add_provider
from batchtui.tui.screens.setup.remote import RemoteScreen
from batchtui.tui.widgets.empty import Empty
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.pane import Pane, heading
from batchtui.tui.widgets.tables.columns import Column
from batchtui.tui.widgets.tables.fitted_table import FittedTable, Row

_COLUMNS = (
    Column("name", "NAME", 17),
    Column("kind", "KIND", 12, 2),
    Column("key", "KEY", 30, 1),
    Column("state", "STATE", 30),
)
_MODELS_SHOWN = 60


class BackendsScreen(AppScreen):
    """Nothing is asked before a key is pressed."""

    place = "backends"
    BINDINGS = actions.bindings("backends")
    AUTO_FOCUS = "DataTable"

    @dataclass
    class Answered(Message):
        name: str
        probe: Probe

    @dataclass
    class Broken(Message):
        """What is wrong with plug-ins that cannot be used."""

        faults: list[str]

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[str, Probe] = {}
        self._asking: set[str] = set()

    def body(self) -> ComposeResult:
        table = FittedTable(_COLUMNS, names=("name",), grows="state")
        with Pane(id="backends-pane", line=False):
            yield Empty()
            yield table
            yield Static(id="broken-plug-ins")
        with Pane(id="backend-about-pane", classes="about", line=False):
            yield Static(id="backend-about")

    def on_mount(self) -> None:
        self._list()
        self.run_worker(self._look_at_plug_ins, thread=True, group="plug-ins", exit_on_error=False)

    def _list(self) -> None:
        self.table.show_rows([*self._rows()])
        none = (
            () if self.table.row_count else (("first_run.provider", "adds one, tested before it is written"),)
        )
        self.query_one(Empty).stand_for(self.table, "No backend is configured" if none else "", none)
        self._about()

    def _rows(self) -> Iterator[Row]:
        config = self.tui.config
        for name, backend in config.backends.items():
            cells = {"name": (name, ""), "kind": (backend.kind, ""), "key": (key_state(backend), "")}
            yield Row(name, cells | {"state": self._state(name)})
        for name, problems in config.broken.items():
            yield Row(
                name, {"name": (name, ""), "kind": ("?", ""), "state": (problems[0].message, "bold red")}
            )

    def _state(self, name: str) -> tuple[str, str]:
        if name in self._asking:
            return "asking …", "dim"
        probe = self._answers.get(name)
        if probe is None:
            return "not asked yet", "dim"
        glyph, style = self.tui.glyphs.job(JobState.COMPLETED if probe.ok else JobState.FAILED)
        return f"{glyph} {probe.message}", style

    def _look_at_plug_ins(self) -> None:
        """In a thread of its own: it imports them."""
        if faults := broken():
            self.post_message(self.Broken([fault for _, fault in faults]))

    @on(Broken)
    def _warn_of_plug_ins(self, event: Broken) -> None:
        warnings = [shown(f"warning: {fault}", "$text-warning", limit=300) for fault in event.faults]
        told = self.query_one("#broken-plug-ins", Static)
        told.update(Content("\n").join(warnings))
        told.display = True

    def action_first_run_provider(self) -> None:
        add_provider(self.tui, self._list)

    @property
    def table(self) -> FittedTable:
        return self.query_one(FittedTable)

    @property
    def _names(self) -> list[str]:
        return [str(key.value) for key in self.table.rows]

    def _current(self) -> str | None:
        names = self._names
        return names[self.table.cursor_row] if names else None

    @on(DataTable.RowHighlighted)
    def _about(self) -> None:
        name = self._current()
        self.query_one("#backends-pane", Pane).entitle(heading("Backends", f"{len(self._names):,}"))
        self.query_one("#backend-about-pane", Pane).entitle(shown(name or "", "bold", limit=40))
        if name is None:
            self.query_one("#backend-about", Static).update(
                shown(f"no backend is configured in {self.tui.config.path}")
            )
            return
        config = self.tui.config
        lines = [shown(str(problem), "$text-error", limit=600) for problem in config.broken.get(name, [])]
        if backend := config.backends.get(name):
            lines.append(Content.assemble(("kind".ljust(10), "dim"), shown(backend.kind)))
            lines.append(Content.assemble(("key".ljust(10), "dim"), shown(key_state(backend))))
            for label in ("base_url", "proxy"):
                if backend.table.get(label):
                    lines.append(Content.assemble((label.ljust(10), "dim"), shown(backend.table[label])))
            lines.append(Content.assemble(("from".ljust(10), "dim"), shown(backend.origin)))
        if probe := self._answers.get(name):
            lines.append(Content.assemble(("answer".ljust(10), "dim"), page(probe.message, 1000, 6)))
            if probe.models:
                names = ", ".join(probe.models[:_MODELS_SHOWN])
                more = (
                    f" … {len(probe.models) - _MODELS_SHOWN} more"
                    if len(probe.models) > _MODELS_SHOWN
                    else ""
                )
                lines.append(Content.assemble(("models".ljust(10), "dim"), page(names + more, 4000, 20)))
        self.query_one("#backend-about", Static).update(Content("\n").join(lines))

    # ---- asking

    @on(DataTable.RowSelected)
    def action_backends_open(self) -> None:
        name = self._current()
        if name is None or name not in self.tui.config.backends:
            return
        card = card_of(self.tui.config.backends[name].kind)
        if card and not card.remote:
            self.tui.say(
                f"{name}: jobs run here one by one, so nothing lives there; "
                f"{self.tui.key('backends.probe')} asks whether it answers"
            )
            return
        self.tui.push_screen(RemoteScreen(name))

    def action_backends_probe(self) -> None:
        if name := self._current():
            self._ask([name])

    def action_backends_probe_all(self) -> None:
        self._ask(self._names)

    def _ask(self, names: list[str]) -> None:
        names = [name for name in names if name in self.tui.config.backends]
        self._asking |= set(names)
        self.table.show_rows([*self._rows()])
        config = self.tui.config

        def work() -> None:
            worker = get_current_worker()
            for name in names:
                if not worker.is_cancelled:
                    self.post_message(self.Answered(name, asyncio.run(ask(config, name))))

        self.run_worker(work, thread=True, group="probe", exit_on_error=False)

    @on(Answered)
    def _show(self, event: Answered) -> None:
        self._answers[event.name] = event.probe
        self._asking.discard(event.name)
        self.table.show_rows([*self._rows()])
        self._about()
