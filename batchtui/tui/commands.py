"""The palette: every action of the screen in front, from the table of actions."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from batchtui import manual
from batchtui.tui.actions import table as actions
from batchtui.tui.screens.base import AppScreen

Row = tuple[str, str, str, actions.Action | manual.Page | str]
"""Title, keys, help, and what it is: an action, a page of the manual, or the name of a theme."""


class ActionCommands(Provider):
    """Actions of the screen the palette was opened over, the themes, and the manual."""

    def _rows(self) -> list[Row]:
        screen = cast(AppScreen, self.screen)
        place = getattr(screen, "place", "") or "batches"
        rows: list[Row] = [
            (action.title, self._keys(action), action.help, action)
            for action in actions.of_screen(place)
            if action.id != "app.palette" and not action.id.startswith("nav.")
        ]
        rows += [
            (f"Theme: {name}", "", "Change the colours", name) for name in sorted(self.app.available_themes)
        ]
        rows += [
            (f"Manual: {name}", "", manual.page(name).title, manual.page(name)) for name in manual.names()
        ]
        return rows

    def _keys(self, action: actions.Action) -> str:
        return " ".join(actions.shown_key(key) for key in action.keys)

    def _run(
        self, what: actions.Action | manual.Page | str
    ) -> partial[None] | partial[Coroutine[Any, Any, None]]:
        if isinstance(what, str):
            return partial(setattr, self.app, "theme", what)
        if isinstance(what, manual.Page):
            return partial(self._open_page, what.name)
        return partial(self.screen.run_action, what.method)

    def _open_page(self, name: str) -> None:
        from batchtui.tui.screens.manual import ManualScreen

        self.app.push_screen(ManualScreen(name))

    async def discover(self) -> Hits:
        for title, keys, help_text, what in self._rows():
            if isinstance(what, actions.Action):
                label = f"{title}  ({keys})" if keys else title
                yield DiscoveryHit(label, self._run(what), help=help_text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, keys, help_text, what in self._rows():
            if score := max(matcher.match(title), 0.6 * matcher.match(help_text)):
                label = f"{title}  ({keys})" if keys else title
                yield Hit(score, matcher.highlight(label), self._run(what), text=label, help=help_text)
