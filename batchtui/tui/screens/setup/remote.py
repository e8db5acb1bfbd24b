"""What lives at a backend, whoever made it: listed, and taken over by the call that `adopt` makes too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable, Static

from batchtui.backends.base import NeedsPerson, Refused, Remote, RemoteBatch, Transient, TryLater
from batchtui.config import Config
from batchtui.engine.shared.pool import Backends
from batchtui.errors import BadInput, BatchtuiError, Unreachable
from batchtui.store.library import Library
from batchtui.tui.actions import table as actions
from batchtui.tui.look import figures
from batchtui.tui.screens.asking.dialogs import Ask
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.widgets.empty import Empty
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.pane import Pane
from batchtui.tui.widgets.tables.columns import Column
from batchtui.tui.widgets.tables.fitted_table import FittedTable, Row

AnyRemote = Remote[msgspec.Struct]
Answer = TypeVar("Answer")
CALL_SECONDS = 600.0
_COLUMNS = (
    Column("id", "REMOTE ID", 28), Column("status", "STATUS", 13, 1), Column("created", "CREATED", 14, 3),
    Column("jobs", "JOBS", 8, 4, True), Column("batch", "BATCH", 7, 2), Column("name", "NAME", 14),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A batch at the backend; `batch` is the one here that follows it."""

    remote: RemoteBatch
    batch: str | None


class RemoteScreen(AppScreen):
    """The list is asked for when the screen opens, and again by a key."""

    place = "remote"
    BINDINGS = actions.bindings("remote")
    AUTO_FOCUS = "DataTable"

    @dataclass
    class Listed(Message):
        found: list[Found]
        fault: str | None = None

    @dataclass
    class Adopted(Message):
        batch: str | None
        words: list[str]

    def __init__(self, backend: str) -> None:
        super().__init__()
        self.backend = backend
        self._found: list[Found] = []
        self._busy = False

    def body(self) -> ComposeResult:
        table = FittedTable(_COLUMNS, names=("id", "name"), grows="name")
        with Pane(id="remote-pane"):
            yield Empty()
            yield table
        with Pane(id="remote-about-pane", classes="about", line=False):
            yield Static(id="remote-about")

    def on_mount(self) -> None:
        self.action_remote_list()

    @property
    def table(self) -> FittedTable:
        return self.query_one(FittedTable)

    def _title(self, words: str) -> None:
        self.query_one("#remote-pane", Pane).entitle(shown(f"{self.backend}: {words}", "bold"))

    # ---- the list

    def action_remote_list(self) -> None:
        self._title("asking what lives there …")
        config, library, name = self.tui.config, self.tui.library, self.backend

        def work() -> None:
            try:
                found = asyncio.run(called(config, name, lambda backend: _list(backend, library)))
            except (BatchtuiError, OSError) as fault:
                self.post_message(self.Listed([], str(fault)))
            else:
                self.post_message(self.Listed(found))

        self.run_worker(work, thread=True, group="remote", exclusive=True, exit_on_error=False)

    @on(Listed)
    def _show(self, event: Listed) -> None:
        self._found = event.found
        table, now = self.table, self.tui.now()
        table.show_rows([_row(one, now) for one in event.found])
        empty = self.query_one(Empty)
        if event.fault:
            again = (("remote.list", "asks again"), ("screen.back", "the backends: is its key there?"))
            empty.stand_for(table, "It did not say what lives there", again)
        elif not event.found:
            new = (("screen.compose", "composes a batch for it"), ("remote.list", "asks again"))
            empty.stand_for(table, "No batch lives there", new)
        else:
            empty.stand_for(table, "")
        if event.fault:
            self._title("it did not say what lives there")
        else:
            count = len(event.found)
            self._title(
                f"{count:,} batch{'es live' if count != 1 else ' lives'} there"
                if count
                else "nothing lives there"
            )
        self._about(event.fault)

    @on(DataTable.RowHighlighted)
    def _moved(self) -> None:
        self._about(None)

    def _about(self, fault: str | None) -> None:
        about, one = self.query_one("#remote-about", Static), self._current()
        if fault:
            about.update(shown(fault, "$text-error", limit=1000))
        elif one is None:
            about.update(shown(""))
        else:
            batch = one.batch
            words = f"followed here as batch {batch}: enter opens it" if batch else (
                "enter takes it over and collects its results")  # fmt: skip
            about.update(Content("\n").join([shown(one.remote.remote_id), Content.styled(words, "dim")]))

    def _current(self) -> Found | None:
        row = self.table.cursor_row
        return self._found[row] if 0 <= row < len(self._found) else None

    # ---- taking over

    @on(DataTable.RowSelected)
    def action_remote_adopt(self) -> None:
        one = self._current()
        if one is None or self._busy:
            return
        if one.batch:
            self._open(one.batch)
            return

        def answered(name: str | None) -> None:
            if name is not None:
                self._adopt(one.remote.remote_id, name.strip())

        about = (
            f"{one.remote.remote_id} becomes a batch here. It is followed and collected, and nothing is sent again.\n"
            "Its name here:"
        )
        self.tui.ask(Ask("Take it over", about, value=one.remote.name or "", hint="its id"), answered)

    def _open(self, batch_id: str) -> None:
        self.dismiss()
        self.tui.open_batch(batch_id)

    def _adopt(self, remote_id: str, name: str) -> None:
        from batchtui.engine.adopt.adopting import adopt

        self._busy = True
        self._title(f"taking over {remote_id} …")
        config, library, backend_name = self.tui.config, self.tui.library, self.backend

        def work() -> None:
            try:
                adopted = asyncio.run(
                    called(
                        config, backend_name, lambda backend: adopt(library, backend, remote_id, name=name)
                    )
                )
            except (BatchtuiError, OSError) as fault:
                self.post_message(self.Adopted(None, [str(fault)]))
            else:
                self.post_message(self.Adopted(adopted.folder.id, adopted.notes))

        self.run_worker(work, thread=True, group="adopt", exit_on_error=False)

    @on(Adopted)
    def _adopted(self, event: Adopted) -> None:
        self._busy = False
        for words in event.words:
            self.tui.say(words, "information" if event.batch else "error")
        if event.batch is None:
            self._title("nothing was taken over")
            return
        self.tui.say(f"taken over as batch {event.batch}")
        self.tui.started_batch(event.batch)


def _row(one: Found, now: float) -> Row:
    remote = one.remote
    jobs = "" if remote.jobs is None else figures.count(remote.jobs)
    words = {"id": remote.remote_id, "status": remote.status, "created": figures.ago(remote.created, now) or "-",
             "jobs": jobs, "name": remote.name or ""}  # fmt: skip
    return Row(
        remote.remote_id,
        {key: (text, "") for key, text in words.items()} | {"batch": (one.batch or "", "bold")},
    )


async def _list(backend: AnyRemote, library: Library) -> list[Found]:
    from batchtui.engine.adopt.adopting import submissions

    listed = await backend.list()
    here: dict[str | None, str] = {}
    for folder, record in submissions(library, backend):
        here[record.remote_id or folder.header.adopted] = folder.id
    ids = set(library.ids())
    found = []
    for one in listed:
        token_of = (one.token or "").partition("-")[0]
        found.append(Found(one, here.get(one.remote_id) or (token_of if token_of in ids else None)))
    return found


async def called(config: Config, name: str, question: Callable[[AnyRemote], Awaitable[Answer]]) -> Answer:
    """What a backend answers, over connections of its own. Raises BatchtuiError whatever goes wrong there."""
    backends = Backends(config)
    try:
        backend = backends.get(name)
        if not isinstance(backend, Remote):
            raise BadInput(f"jobs of kind {backend.kind} run here one by one, so nothing lives there")
        async with asyncio.timeout(CALL_SECONDS):
            return await question(backend)
    except TimeoutError:
        raise Unreachable(f"{name}: no answer within {CALL_SECONDS:g} s") from None
    except (NeedsPerson, Refused, TryLater, Transient) as fault:
        raise Unreachable(f"{name}: {fault.message}") from None
    except (BatchtuiError, OSError):
        raise
    except Exception as fault:  # of a plug-in
        raise Unreachable(f"{name}: {type(fault).__name__}: {fault}") from fault
    finally:
        await backends.close()
