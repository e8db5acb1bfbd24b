"""Batches by name. A new batch gets a name that no other has; where several have one all the same (they were made at
once, or came from elsewhere), the newest is meant by it, `NAME~1` is the one before, and so on.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from batchtui.errors import NotFound
from batchtui.store.files.header import BatchHeader
from batchtui.text import cell, clean

LONGEST = 200
"""Characters of a name."""

SENT_AS = "sent as"
"""Among a submission's facts: the name that its batch had when it was sent, where that has another now."""


class Meant(NamedTuple):
    """The batch that a name means."""

    id: str
    told: str = ""
    """Which it is, where several have the name."""


class Names:
    def __init__(self, headers: Iterable[BatchHeader]) -> None:
        made: dict[str, list[tuple[str, str]]] = {}
        for header in headers:
            made.setdefault(header.name, []).append((header.created, header.id))
        self._ids = {name: [id_ for _, id_ in sorted(found, reverse=True)] for name, found in made.items()}
        """The ids of each name's batches, the newest first."""

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def bears(self, name: str) -> list[str]:
        """The ids of those that have this name."""
        return self._ids.get(name, [])

    def meant(self, reference: str) -> Meant | None:
        """None where no batch has the name. Raises NotFound for `NAME~5` where fewer have it."""
        if found := self.bears(reference):  # also a name that ends as if it counted
            return Meant(found[0], _told(reference, found, 0))
        name, _, back = reference.rpartition("~")
        if not (found := self.bears(name)) or not (back.isascii() and back.isdecimal()):
            return None
        place = int(back[:9])
        if place >= len(found):
            have = "only one is" if len(found) == 1 else f"{len(found)} batches are"
            named = f'{have} named "{cell(name, 60)}"'
            raise NotFound(f'no batch "{cell(reference, 60)}": {named}; the oldest is {found[-1]}')
        return Meant(found[place], _told(name, found, place))

    def free(self, name: str) -> str:
        """That name, or `sweep-2` for `sweep` where a batch has it: with the next number that none has."""
        return next(one for one in numbered(name) if one not in self._ids)


def numbered(name: str) -> Iterator[str]:
    """The name, then `sweep-2`, `sweep-3` and so on without end; after `sweep-4` itself comes `sweep-5`."""
    yield name
    stem, _, number = name.rpartition("-")
    stem, first = (stem, int(number)) if stem and number.isdecimal() and len(number) < 6 else (name, 1)
    yield from (f"{stem}-{count}" for count in itertools.count(first + 1))


def _told(name: str, found: list[str], place: int) -> str:
    if len(found) == 1:
        return ""
    which = {0: "the newest", len(found) - 1: "the oldest"}.get(place, f"the newest but {place}")
    before = f'; "{cell(name, 60)}~{place + 1}" is the one before' if place + 1 < len(found) else ""
    return f'{len(found)} batches are named "{cell(name, 60)}": {found[place]}, {which}, is meant{before}'


def fault_of(name: str) -> str:
    """Why this cannot be a name; empty where it can."""
    if not name.strip():
        return "a name has at least one letter"
    if len(name) > LONGEST:
        return f"a name has at most {LONGEST} characters, this has {len(name):,}"
    if clean(name) != name or "\n" in name or "\t" in name or name != name.strip():
        return "a name has no control characters, line ends or tabs, and no space at its ends"
    return ""
