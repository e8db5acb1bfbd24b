"""Typed decoding with the place of the fault in every message."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from batchtui import typed
from batchtui.errors import BadInput, BatchtuiError, nearest
from batchtui.model import Json

T = TypeVar("T")
_AT = re.compile(r"^(?P<what>.*?)(?: - at (?:`key` in )?`(?:key in )?\$\.?(?P<path>.*)`)?$", re.DOTALL)


def convert(
    value: Json, type_: type[T], *, where: str, prefix: str = "", error: type[BatchtuiError] = BadInput
) -> T:
    """`value` as `type_`. Raises `error` with `where: prefix.key: expected int, got str`.

    An unknown key is refused with the nearest known one.
    """
    try:
        return typed.convert(value, type_)
    except msgspec.ValidationError as fault:
        raise error(f"{where}: {explain(str(fault), type_, prefix)}") from None
    except UnicodeError:  # msgspec cannot name such a key
        place = f"{where}: {prefix}" if prefix else where
        raise error(f"{place}: a key holds half a character (a lone surrogate)") from None


def explain(message: str, type_: object, prefix: str = "") -> str:
    """msgspec's sentence in ours: the path first, no `$`, no backticks."""
    match = _AT.match(message)
    assert match
    path = ".".join(part for part in (prefix, match["path"] or "") if part).replace(".[", "[")
    what = match["what"].replace("`", "")
    unknown = re.match(r"Object contains unknown field (.*)", what)
    if unknown:
        key = unknown[1]
        known = _field_names(type_, match["path"] or "")
        return f"{path + '.' if path else ''}{key}: unknown key{nearest(key, known)}"
    missing = re.match(r"Object missing required field (.*)", what)
    if missing:
        return f"{path + '.' if path else ''}{missing[1]}: missing"
    what = what[:1].lower() + what[1:]
    return f"{path}: {what}" if path else what


def _field_names(type_: object, path: str) -> list[str]:
    """Known keys of the struct that `path` leads to; empty where it leads nowhere."""
    for part in [p for p in re.sub(r"\[[^]]*\]", "", path).split(".") if p]:
        hints = (
            {field.name: field.type for field in msgspec.structs.fields(type_)} if _is_struct(type_) else {}  # type: ignore[arg-type]
        )
        type_ = next((t for t in _flatten(hints.get(part)) if _is_struct(t)), None)
    return [field.encode_name for field in msgspec.structs.fields(type_)] if _is_struct(type_) else []  # type: ignore[arg-type]


def _is_struct(type_: object) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)


def _flatten(type_: object) -> list[object]:
    args = getattr(type_, "__args__", ())
    return [type_, *(inner for arg in args for inner in _flatten(arg))]
