"""What a list says where it has nothing to show: why, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from batchtui.tui.key_order import is_typing
from batchtui.tui.widgets.outside import put, shown

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

Next = tuple[str, str]
"""An action, by its name in the table, and what it does here; or a command line, which has a blank in it."""


class Empty(Static):
    """A block in the middle of the list that it stands for."""

    DEFAULT_CSS = (
        "Empty { display: none; height: 1fr; width: 1fr; content-align: center middle; padding: 0 2; }"
    )

    def stand_for(self, listed: Widget, why: str, then: Sequence[Next] = ()) -> None:
        """With a `why` this is shown in place of the list, which keeps the keys; without one the list is."""
        self.display = bool(why)
        listed.set_class(bool(why), "-nothing-to-show")
        if why:
            put(self, self._block(why, then))

    def _block(self, why: str, then: Sequence[Next]) -> Content:
        tui = cast("BaseApp", self.app)
        typing = is_typing(self.screen)
        usable = [(name if " " in name else tui.key_now(name, typing=typing), words) for name, words in then]
        then = [(head, words) for head, words in usable if head]
        heads = [head for head, _ in then]
        width = max(map(len, heads), default=0)
        lines = [shown(why, "bold"), Content("")]
        about = max((len(words) for _, words in then), default=0)
        for head, (_, words) in zip(heads, then, strict=True):
            line = Content.assemble((head.ljust(width), "bold $accent"), "  ", (words.ljust(about), "dim"))
            lines.append(line)
        return Content("\n").join(lines)
