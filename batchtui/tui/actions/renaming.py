"""Giving a batch another name, from the table of batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchtui.errors import BadInput
from batchtui.tui.screens.asking.dialogs import Ask

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp


def rename(app: BaseApp, batch_id: str | None) -> None:
    """Ask for the new name; one that cannot be had is refused with a word, and the batch keeps its own."""
    status = app.link.status(batch_id) if batch_id else None
    if status is None:
        app.say_none()
        return

    def answered(line: str | None) -> None:
        name = (line or "").strip()
        if not name or name == status.name:
            return
        try:
            app.link.library.refuse_name(name, status.id)
        except BadInput as fault:
            app.say(str(fault), "warning")
            return
        app.link.command(status.id, "rename", name=name)
        app.say(f'"{status.name}" is "{name}" from now on')

    ask = Ask(f'Rename "{status.name}"', "What the batch is called in lists and commands.", value=status.name)
    app.ask(ask, answered)
