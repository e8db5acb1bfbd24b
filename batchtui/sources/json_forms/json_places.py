"""Where in a JSON document the rows are: `[source] rows`, and a word where it is wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from batchtui.errors import nearest
from batchtui.model import Json
from batchtui.sources.json_forms.json_reader import JsonReader
from batchtui.sources.json_forms.strict_json import kind_of
from batchtui.text import cell

_DEPTH = 4
_INDEX = re.compile(r"\[(\d+)\]\.?")


class NoRows(Exception):
    """A path that leads to no list; the sentence says where it ends."""


def stand_at(reader: JsonReader, path: str, before: str = "") -> Iterator[None]:
    """Stands once before the list that `path` leads to, then reads on to where the value of this place ends.

    A key that holds a dot is taken as it is written. Raises NoRows, NotJson.
    """
    if not path:
        if not reader.opens("["):
            raise NoRows(f'"{cell(before, 60)}" holds {kind_of(reader.value())}, and rows are a list')
        yield
        return
    here = f'"{cell(before, 60)}"' if before else "the document"
    if reader.opens("{"):
        known: list[str] = []
        found = False
        for key in reader.members():
            rest = None if found else _behind(path, key)
            if rest is None:
                known.append(key)
                reader.value()
            else:
                found = True
                yield from stand_at(reader, rest, f"{before}.{key}" if before else key)
        if not found:
            step = re.split(r"[.\[]", path, maxsplit=1)[0]
            hint = nearest(step, known) or (f"; keys: {', '.join(cell(key, 40) for key in known[:12])}")
            raise NoRows(f'no key "{cell(step, 60)}" in {here}{hint}')
    elif reader.opens("[") and (match := _INDEX.match(path)):
        place = int(match[1])
        count = 0
        for count, _ in enumerate(reader.elements(), 1):
            if count == place + 1:
                yield from stand_at(reader, path[match.end() :], f"{before}[{place}]")
            else:
                reader.value()
        if count <= place:
            raise NoRows(f"no item {place} in {here}: there are {count}")
    else:
        what = "is a list" if reader.opens("[") else f"holds {kind_of(reader.value())}"
        raise NoRows(f'"{cell(path, 60)}" leads nowhere: {here} {what}')


def _behind(path: str, key: str) -> str | None:
    """What is left of a path behind this key; None where it does not begin with it."""
    if not key or not path.startswith(key):
        return None
    rest = path[len(key) :]
    return rest.removeprefix(".") if not rest or rest[0] in ".[" else None


def rows_hint(value: dict[str, Json]) -> str | None:
    """A word where a document that is one row holds one list of objects, which may be what is meant."""
    found = list(_lists(value, "", _DEPTH))
    if len(found) != 1:
        return None
    path, count = found[0]
    objects = f"{count:,} object{'s' * (count != 1)}"
    return (
        f'this is one row, with a list of {objects} at {cell(path, 60)}; rows = "{cell(path, 60)}" under '
        "[source] makes each of them a row"
    )


def _lists(value: dict[str, Json], before: str, depth: int) -> Iterator[tuple[str, int]]:
    for key, inner in value.items():
        path = f"{before}{key}"
        if isinstance(inner, list) and inner and all(isinstance(one, dict) for one in inner):
            yield path, len(inner)
        elif isinstance(inner, dict) and depth:
            yield from _lists(inner, f"{path}.", depth - 1)
