"""Keys that mark rows, the same ones in every list that has marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from batchtui.tui.widgets.tables.marks import Marks

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

Key = TypeVar("Key")


class Markable(Protocol[Key]):
    """A table whose rows are known by keys."""

    marks: Marks[Key]

    @property
    def keys(self) -> Sequence[Key]: ...

    @property
    def at(self) -> int: ...

    def go_to(self, at: int) -> None: ...


class MarksRows(Generic[Key]):
    """A screen with such a table."""

    @property
    def tui(self) -> BaseApp:
        raise NotImplementedError

    @property
    def table(self) -> Markable[Key]:
        raise NotImplementedError

    def marks_changed(self) -> None:
        """Show them, and how many they are."""
        raise NotImplementedError

    def action_list_mark(self) -> None:
        table = self.table
        if table.keys:
            table.marks.turn(table.keys[table.at])
            self._go(table.at + 1)
        self.marks_changed()

    def action_list_range(self) -> None:
        table = self.table
        if table.keys and not table.marks.reach(table.keys, table.at):
            space, here = (self.tui.shown_keys(name)[0] for name in ("list.mark", "list.range"))
            self.tui.say(
                f"no mark is shown to begin at: {space} marks a row, then {here} all from it to the cursor"
            )
        self.marks_changed()

    def action_list_extend_down(self) -> None:
        self._extend(1)

    def action_list_extend_up(self) -> None:
        self._extend(-1)

    def _extend(self, by: int) -> None:
        table = self.table
        if table.keys:
            to = max(0, min(table.at + by, len(table.keys) - 1))
            table.marks.extend(table.keys, table.at, to)
            self._go(to)
        self.marks_changed()

    def _go(self, at: int) -> None:
        self.table.go_to(max(0, min(at, len(self.table.keys) - 1)))

    def action_list_all(self) -> None:
        self.table.marks.put(self.table.keys)
        self.marks_changed()

    def action_list_none(self) -> None:
        self.table.marks.put(())
        self.marks_changed()
