"""What `print_status` shows: a table that is renewed on a terminal and in a notebook, else a line at a time."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from batchtui.api import figures
from batchtui.model import BatchStatus, Json
from batchtui.text import cell

if TYPE_CHECKING:
    from rich.table import Table


class Shown(Protocol):
    """A `BatchRun`, as far as it is shown."""

    name: str

    def info(self) -> BatchStatus: ...

    def status(self, print_status: bool = False) -> dict[str, Json]: ...


_HEADS = ("batch", "state", "completed", "failed", "cancelled", "pending", "of", "cost")
_PART_HEADS = ("submission", "backend", "state", "completed", "failed", "of", "cost")
_PARTS_SHOWN = 20


class Handle(Protocol):
    """Of IPython's `display`: what was shown can be shown anew."""

    def update(self, shown: object) -> None: ...


class Live:
    """One table for one wait. `show` renews it, and `close` leaves the last one standing."""

    def __init__(self, run: Shown) -> None:
        self._run = run
        self._handle: Handle | None = None
        self._close: Callable[[], None] | None = None
        self._update: Callable[[Table], None] | None = None
        self._notebook = in_notebook()
        if not self._notebook and sys.stdout.isatty():
            from rich.console import Console
            from rich.live import Live as RichLive

            live = RichLive(console=Console(file=sys.stdout), auto_refresh=False)
            live.start()
            self._close = live.stop
            self._update = lambda table: live.update(table, refresh=True)

    def show(self) -> None:
        if self._notebook:
            self._in_notebook()
        elif self._update:
            self._update(rich_table(self._run.name, self._run.info()))
        else:
            self._run.status(print_status=True)

    def close(self) -> None:
        if self._close:
            self._close()

    def _in_notebook(self) -> None:
        if self._handle is None:
            from IPython.display import display  # type: ignore[import-not-found, unused-ignore]

            self._handle = display(self._run, display_id=True)
        else:
            self._handle.update(self._run)


def in_notebook() -> bool:
    """Whether this runs in a kernel that shows HTML; IPython is not imported for it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


def rows(name: str, info: BatchStatus) -> tuple[list[str], list[list[str]]]:
    """The batch in a row; then a row for each of its submissions, the newest where they are many."""
    parts = info.submissions or []
    total = "?" if info.total is None else f"{info.total:,}"
    failed = info.failed + info.invalid + info.expired
    whole = [cell(name, 40), info.status.value, f"{info.completed:,}", f"{failed:,}", f"{info.cancelled:,}",
             f"{info.pending + info.processing:,}", total, figures.cost(info.cost_usd)]  # fmt: skip
    each = [
        [str(part.id), cell(part.backend or "", 40), part.status.value, f"{part.completed:,}", f"{part.failed:,}",
         f"{part.jobs:,}", figures.cost(part.cost_usd)]
        for part in parts[-_PARTS_SHOWN:]
    ]  # fmt: skip
    return whole, each


def rich_table(name: str, info: BatchStatus) -> Table:
    from rich.table import Table
    from rich.text import Text

    whole, each = rows(name, info)
    table = Table(title=Text(f"{whole[0]}: {figures.line(info)}"), title_justify="left")
    heads, lines = (_PART_HEADS, each) if each else (_HEADS, [whole])
    for head in heads:
        table.add_column(head)
    for line in lines:
        table.add_row(*(Text(one) for one in line))
    return table


def html_table(name: str, batch_id: str, info: BatchStatus) -> str:
    """The same for a notebook, with a bar; every text of it is escaped."""
    whole, each = rows(name, info)
    done = (info.total or 0) - info.pending - info.processing
    bar = f'<progress value="{max(0, done)}" max="{info.total or 1}"></progress>'
    about = f"<p>{_safe(whole[0])} ({_safe(batch_id)}) {bar} {_safe(figures.line(info))}</p>"
    heads, lines = (_PART_HEADS, each) if each else (_HEADS, [whole])
    head = "".join(f"<th>{_safe(one)}</th>" for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{_safe(one)}</td>" for one in line) + "</tr>" for line in lines)
    return f"{about}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _safe(text: str) -> str:
    return html.escape(text)
