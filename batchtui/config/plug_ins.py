"""Kinds that installed packages add: their names are read without importing any of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from typing import TYPE_CHECKING

from batchtui.catalog import cards

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "batchtui.backends"


@cache
def plug_ins() -> dict[str, EntryPoint]:
    """Entry points of the group by name, our own among them; where two packages give a name, the first one found."""
    from importlib.metadata import entry_points

    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, entry)
    return found


class KnownKinds(Collection[str]):
    """Our own kinds and those of plug-ins, which are looked for only when a kind is not our own."""

    def __contains__(self, kind: object) -> bool:
        return kind in cards() or kind in plug_ins()

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*cards(), *sorted(plug_ins()))))

    def __len__(self) -> int:
        return len(set(iter(self)))


KNOWN_KINDS = KnownKinds()
