"""Keys one at a time: each is forwarded once the one before has done its work.

Textual hands a key to the widget that has the focus at that moment, and a binding acts only when the key has
bubbled up to the app. Of keys that arrive together (a slow line, a paste, a program that types) those behind a Tab
would reach the field before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

from textual.app import App
from textual.events import Key, Paste
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widgets import Input, TextArea

PATIENCE = 0.5
"""Seconds after which a key that is still busy no longer holds up the next."""
Forward = Callable[[Key | Paste], Awaitable[None]]


def is_typing(screen: Screen[object]) -> bool:
    """Whether letters go into a field of it now, and are no keys."""
    return isinstance(screen.focused, Input | TextArea)


class KeyOrder:
    """Runs in the app's message loop; `forward` hands a key to the widget that has the focus."""

    def __init__(self, app: App[None], forward: Forward) -> None:
        self._app, self._forward = app, forward
        self._waiting: deque[Key | Paste] = deque()
        self._turn = 0
        self._busy = False

    async def take(self, event: Key | Paste) -> None:
        """Forward it now, or once those before it have done their work."""
        if self._busy:
            self._waiting.append(event)
        else:
            await self._go(event)

    async def _go(self, event: Key | Paste) -> None:
        self._busy = True
        self._turn += 1
        turn = self._turn
        way: list[MessagePump] = list((self._app.focused or self._app.screen).ancestors_with_self)
        await self._forward(event)
        self._app.set_timer(PATIENCE, lambda: self._done(turn))
        self._follow(turn, way)

    def _follow(self, turn: int, way: list[MessagePump]) -> None:
        """Go the key's way behind it, then through the screen that it may have brought up."""
        while way:
            if way.pop(0).call_later(self._follow, turn, way):
                return
        if not self._app.screen.call_later(self._end, turn):
            self._end(turn)

    def _end(self, turn: int) -> None:
        self._app.call_later(self._done, turn)

    async def _done(self, turn: int) -> None:
        if turn != self._turn or not self._busy:
            return
        self._busy = False
        if self._waiting:
            await self._go(self._waiting.popleft())
