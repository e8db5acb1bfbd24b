"""Pieces of a message joined: texts by appending, numbered lists item by item, the rest by what came last."""

from __future__ import annotations

from typing import Any

from batchtui.model import Json

_ONCE = frozenset(("role", "type", "id"))
"""Fields that some servers repeat with every piece."""


class Text(list[str]):
    """A text that still grows."""


def merge(into: dict[str, Any], piece: dict[str, Json]) -> None:
    """Add one piece; `finished` gives the whole."""
    for key, value in piece.items():
        held = into.get(key)
        if value is None:
            into.setdefault(key, None)
        elif isinstance(value, str):
            if isinstance(held, list) and not isinstance(held, Text):
                held.append({"type": "text", "text": value})
            elif not isinstance(held, Text):
                into[key] = Text([value])
            elif key not in _ONCE and not (key == "name" and value == "".join(held)):
                held.append(value)
        elif isinstance(value, dict):
            if not isinstance(held, dict):
                held = into[key] = {}
            merge(held, value)
        elif isinstance(value, list):
            if isinstance(held, Text):  # a message goes on in parts
                held = into[key] = [{"type": "text", "text": "".join(held)}] if any(held) else []
            elif not isinstance(held, list):
                held = into[key] = []
            _extend(held, value)
        else:
            into[key] = value


def _extend(held: list[Any], pieces: list[Json]) -> None:
    """Pieces with an `index` go on with the item of that index; others are items of their own."""
    for piece in pieces:
        index = piece.get("index") if isinstance(piece, dict) else None
        if not isinstance(piece, dict) or type(index) is not int:
            held.append(piece)
            continue
        item = next(
            (one for one in reversed(held) if isinstance(one, dict) and one.get("index") == index), None
        )
        if item is None or _is_another(item, piece):
            item = {}
            held.append(item)
        merge(item, piece)


def _is_another(item: dict[str, Any], piece: dict[str, Json]) -> bool:
    """Whether it is a new item all the same: some servers number every tool call 0."""
    return bool(item.get("id") and piece.get("id")) and finished(item["id"]) != piece["id"]


def finished(value: Any, *, numbered: bool = False) -> Json:
    """The whole, without the numbers of its items."""
    if isinstance(value, Text):
        return "".join(value)
    if isinstance(value, list):
        return [finished(item, numbered=True) for item in value]
    if isinstance(value, dict):
        return {key: finished(item) for key, item in value.items() if not (numbered and key == "index")}
    whole: Json = value
    return whole
