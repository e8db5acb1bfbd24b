"""What an API's words for a status mean to kind `rest`: the usual ones, and those of its table `states`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from batchtui.backends.base import Transient
from batchtui.backends.rest.settings import STATES, State
from batchtui.model import Json
from batchtui.sources.templates.filters import as_text
from batchtui.text import cell

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BETWEEN = re.compile(r"[\s_-]+")
_WORD_LIMIT = 80


def word_of(status: Json) -> str:
    """A status of any type as `states` names it: `done`, `3`, `true`, `null`."""
    if isinstance(status, float) and status.is_integer():
        status = int(status)
    return as_text(status).strip()


class States:
    """`where` is the table of the backend, for messages."""

    def __init__(self, given: Mapping[str, State], where: str) -> None:
        self._given = {word.casefold(): state for word, state in given.items()}
        self._where = where

    def __call__(self, status: Json) -> State | None:
        """None where nothing says what it means. Of the usual words `In progress` and `in_progress` are one."""
        word = word_of(status).casefold()
        return self._given.get(word) or STATES.get(_BETWEEN.sub("", word))

    def names(self, status: Json) -> bool:
        """Whether the table itself says what it means."""
        return word_of(status).casefold() in self._given

    def unknown(self, status: Json) -> Transient:
        """What a person is told of a status that is not known, with the line that would name it."""
        word = word_of(status)
        key = word if _BARE.fullmatch(word) else json.dumps(word, ensure_ascii=False)
        shown = f'"{cell(word, _WORD_LIMIT)}"' if isinstance(status, str) else cell(word, _WORD_LIMIT)
        line = f'{cell(key, _WORD_LIMIT)} = "completed"'
        return Transient(
            f"the status {shown} is not known: say in [{self._where}.states] what it means, such as {line}",
            kind="status",
            answered=True,
        )
