"""Which two things are compared: two batches, or two jobs of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from batchtui.tui.look import figures
from batchtui.tui.screens.asking.pick import Pick

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp


def show_views(
    app: BaseApp, batch_id: str | None, jobs: Sequence[str] = (), among: frozenset[str] | None = None
) -> None:
    """Tables and pictures over a batch, over one job, over two side by side, or over some jobs of it."""
    if batch_id is None or app.link.folder(batch_id) is None:
        app.say_none()
    else:
        app.show_views(batch_id, jobs, among)


def _marked(what: str, count: int) -> str:
    return f"mark two {what} to compare them side by side; {count:,} {'is' if count == 1 else 'are'} marked"


def compare_jobs(app: BaseApp, batch_id: str, jobs: Sequence[str]) -> None:
    """The two marked jobs; with none marked, another batch is asked for."""
    if len(jobs) == 2:
        show_views(app, batch_id, jobs)
    elif jobs:
        app.say(_marked("jobs", len(jobs)), "warning")
    else:
        choose_other(app, batch_id)


def compare_batches(app: BaseApp, marked: Sequence[str], current: str | None) -> None:
    """The two marked batches, the older one first; with none marked, the current one and another that is asked for."""
    if len(marked) == 2:
        order = [folder.id for folder in app.link.folders() if folder.id in marked]
        app.show_comparison(order[-1], order[0])
    elif marked:
        app.say(_marked("batches", len(marked)), "warning")
    elif current is None:
        app.say_none()
    else:
        choose_other(app, current)


def choose_other(app: BaseApp, batch_id: str) -> None:
    """Ask which batch to compare with: those of the same name first, then those of the same kind, newest first."""
    folder = app.link.folder(batch_id)
    if folder is None:
        app.say_none()
        return
    mine = folder.header
    others = [other for other in app.link.folders() if other.id != batch_id]
    if not others:
        app.say("there is no other batch to compare with")
        return
    others.sort(key=lambda other: (other.header.name != mine.name, other.header.kind != mine.kind))
    options = []
    for other in others:
        about = f"{other.header.name}  {other.header.kind}  {figures.ago(other.header.created, app.now())}"
        options.append((other.id, about))

    def answered(other_id: str | None) -> None:
        if other_id:
            app.show_comparison(batch_id, other_id)

    app.ask(Pick(f"Compare {mine.name or mine.id} with", options), answered)
