"""The palette: every action of the screen in front, from the table of actions."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from batchtui.tui import actions
from batchtui.tui.screens.base import AppScreen


class ActionCommands(Provider):
    """Actions of the screen the palette was opened over, and the themes."""

    def _rows(self) -> list[tuple[str, str, str, actions.Action | str]]:
        screen = cast(AppScreen, self.screen)
        place = getattr(screen, "place", "") or "batches"
        rows: list[tuple[str, str, str, actions.Action | str]] = [
            (action.title, self._keys(action), action.help, action)
            for action in actions.of_screen(place)
            if action.id != "app.palette" and not action.id.startswith("nav.")
        ]
        rows += [
            (f"Theme: {name}", "", "Change the colours", name) for name in sorted(self.app.available_themes)
        ]
        return rows

    def _keys(self, action: actions.Action) -> str:
        return " ".join(actions.shown_key(key) for key in action.keys)

    def _run(self, what: actions.Action | str) -> partial[None] | partial[Coroutine[Any, Any, None]]:
        if isinstance(what, str):
            return partial(setattr, self.app, "theme", what)
        return partial(self.screen.run_action, what.method)

    async def discover(self) -> Hits:
        for title, keys, help_text, what in self._rows():
            if not isinstance(what, str):
                label = f"{title}  ({keys})" if keys else title
                yield DiscoveryHit(label, self._run(what), help=help_text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, keys, help_text, what in self._rows():
            if score := max(matcher.match(title), 0.6 * matcher.match(help_text)):
                label = f"{title}  ({keys})" if keys else title
                yield Hit(score, matcher.highlight(label), self._run(what), text=label, help=help_text)
