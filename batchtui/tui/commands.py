"""The palette: what can be done on the screen in front, and every batch, backend and page by name."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from batchtui import manual
from batchtui.catalog import card_of
from batchtui.tui.actions import table as actions
from batchtui.tui.screens.base import AppScreen

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

Row = tuple[str, str, str, actions.Action | manual.Page | str | Callable[[], object]]
"""Title, keys, help, and what it is: an action, a page of the manual, the name of a theme, or what it calls."""
MOST_BATCHES = 500


def _open_remote(app: BaseApp, backend: str) -> None:
    from batchtui.tui.screens.setup.remote import RemoteScreen

    app.push_screen(RemoteScreen(backend))


class ActionCommands(Provider):
    """Actions of the screen the palette was opened over, what no screen has to itself, the themes, and the manual."""

    def _rows(self) -> list[Row]:
        screen = cast(AppScreen, self.screen)
        place = getattr(screen, "place", "") or "batches"
        rows: list[Row] = [
            (action.title, self._keys(action), action.help, action)
            for action in actions.of_screen(place)
            if action.id != "app.palette" and not action.id.startswith("nav.")
        ]
        rows += self._elsewhere(place)
        rows += [
            (f"Theme: {name}", "", "Change the colours", name) for name in sorted(self.app.available_themes)
        ]
        rows += [
            (f"Manual: {name}", "", manual.page(name).title, manual.page(name)) for name in manual.names()
        ]
        return rows

    def _elsewhere(self, place: str) -> list[Row]:
        """What lives on some other screen: found from every one."""
        from batchtui.tui.actions.demo import demo
        from batchtui.tui.screens.setup.backends import BackendsScreen

        app = cast("BaseApp", self.app)
        rows: list[Row] = []
        if not any(action.id.endswith(".backends") for action in actions.of_screen(place)):
            about = "What is configured, and whether it answers"
            rows.append(("Backends", "", about, lambda: app.push_screen(BackendsScreen())))
        for name, backend in app.config.backends.items():
            if not (card := card_of(backend.kind)) or card.remote:
                about = f"Take over a batch that lives at {name} and was made elsewhere: the list of what is there (remote)"
                rows.append((f"Adopt from {name}", "", about, partial(_open_remote, app, name)))
        if place != "first_run":
            rows.append(
                (
                    "Demo",
                    "",
                    "Sample batches over a server on this machine, no key needed",
                    partial(demo, app),
                )
            )
        rows += [
            (
                f"Batch: {status.name}",
                "",
                f"Open {status.id}: {status.status}",
                partial(app.open_batch, status.id),
            )
            for status in app.link.statuses()[:MOST_BATCHES]
        ]
        return rows

    def _keys(self, action: actions.Action) -> str:
        return " ".join(actions.shown_key(key) for key in action.keys)

    def _run(
        self, what: actions.Action | manual.Page | str | Callable[[], object]
    ) -> Callable[[], object] | partial[Coroutine[Any, Any, None]]:
        if isinstance(what, str):
            return partial(setattr, self.app, "theme", what)
        if isinstance(what, manual.Page):
            return partial(self._open_page, what.name)
        if isinstance(what, actions.Action):
            return partial(self.screen.run_action, f"app.{what.method}" if what.of_app else what.method)
        return what

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
