"""A line for a path: Tab and the right arrow complete it as a shell would."""

from __future__ import annotations

import os
from pathlib import Path

from textual.binding import Binding
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from batchtui.text import clean

_ENTRIES_LIMIT = 5000


def complete(text: str, base: Path) -> tuple[str, list[str]]:
    """`text` with as much more as is certain, and what could follow; folders end with a slash.

    Relative paths start from `base`. Names that begin with a dot need one typed; names with characters that a
    terminal would act on are left out.
    """
    head, slash, start = text.rpartition("/")
    try:
        folder = base / Path(head + slash).expanduser()
        names = []
        with os.scandir(folder) as entries:
            for _, entry in zip(range(_ENTRIES_LIMIT), entries, strict=False):
                if entry.name.startswith(start) and (start or not entry.name.startswith(".")):
                    names.append(entry.name + "/" * entry.is_dir())
    except (OSError, ValueError, RuntimeError):
        return text, []
    names = sorted(name for name in names if clean(name) == name and "\n" not in name)
    return (head + slash + _common(names) if names else text), names


def _common(names: list[str]) -> str:
    """What all of the sorted names begin with."""
    pairs = zip(names[0], names[-1], strict=False)
    same = next((number for number, (one, other) in enumerate(pairs) if one != other), None)
    return names[0][:same] if same is not None else min(names[0], names[-1], key=len)


class _PathSuggester(Suggester):
    def __init__(self, owner: PathInput) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._owner = owner

    async def get_suggestion(self, value: str) -> str | None:
        _, names = complete(value, self._owner.base)
        return value.rpartition("/")[0] + "/" * ("/" in value) + names[0] if names and value else None


class PathInput(Input):
    """Tab completes; where nothing can be added it moves on, so that the keyboard is never trapped."""

    BINDINGS = [Binding("tab", "complete", "Complete", show=False, id="path.complete")]

    class Candidates(Message):
        """What the path could go on with, for a line below the field."""

        def __init__(self, names: list[str]) -> None:
            super().__init__()
            self.names = names

    def __init__(self, value: str = "", *, base: Path, placeholder: str = "") -> None:
        self.base = base
        super().__init__(
            value,
            placeholder=placeholder,
            compact=True,
            suggester=_PathSuggester(self),
            select_on_focus=False,
        )

    def action_complete(self) -> None:
        completed, names = complete(self.value, self.base)
        if self.value and completed != self.value:
            self.value = completed
            self.cursor_position = len(completed)
            self.post_message(self.Candidates(names if len(names) > 1 else []))
        else:
            self.screen.focus_next()
