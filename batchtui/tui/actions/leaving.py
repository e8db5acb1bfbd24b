"""Quit is not cancel: what runs remotely keeps running. Jobs in flight here are finished or given back first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchtui.amounts import counted
from batchtui.tui.look import states
from batchtui.tui.models.link import Link
from batchtui.tui.screens.asking.dialogs import Choose

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp


class Quit(Choose):
    """What becomes of the jobs in flight."""


def quit_app(app: BaseApp) -> None:
    """Leave at once where nothing runs in this process, else ask what becomes of it."""
    if isinstance(app.screen, Quit):
        return
    running = app.link.in_flight()
    if not running:
        app.exit()
        return
    jobs = "the job" if running == 1 else f"the {running:,} jobs"
    dialog = Quit(
        "Quit",
        "Quit is not cancel: what runs remotely keeps running, and reopening picks everything up.\n"
        f"{counted(running, 'job')} {'runs' if running == 1 else 'run'} in this process now.",
        options=[
            ("finish", f"Finish {jobs} in flight, then quit"),
            ("stop", f"Stop {'it now; it goes' if running == 1 else 'them now; they go'} back to pending"),
            ("stay", "Stay"),
        ],
    )
    app.ask(dialog, lambda answer: _answered(app, answer))


def _answered(app: BaseApp, answer: str | None) -> None:
    if answer == "stop":
        app.exit()
    elif answer == "finish" and app.link.worker:
        app.link.worker.finish_direct()
        app.say(
            f"quitting once the jobs in flight have ended; {app.key('app.quit')} again to choose otherwise"
        )
        app.set_interval(0.2, lambda: None if app.link.in_flight() else app.exit())


def last_words(link: Link) -> str | None:
    """What to say once the terminal is back: which batches go on without us."""
    going = [
        folder.id
        for folder in link.folders()
        if (status := link.status(folder.id)) and states.live(status) and not status.paused
    ]
    if not going:
        return None
    names = ", ".join(going[:4]) + (", …" if len(going) > 4 else "")
    if len(going) == 1:
        return f"batch {names} is not finished; `batchtui` or `batchtui resume` picks it up"
    return f"{len(going)} batches are not finished ({names}); `batchtui` or `batchtui resume` picks them up"
