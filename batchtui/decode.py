"""Typed decoding with the place of the fault in every message."""

from __future__ import annotations

import re
from typing import Literal, TypeVar, get_args, get_origin

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
        raise error(f"{where}: {explain(_with_key(str(fault), value, type_), type_, prefix)}") from None
    except UnicodeError:  # msgspec cannot name such a key
        place = f"{where}: {prefix}" if prefix else where
        raise error(f"{place}: a key holds half a character (a lone surrogate)") from None


def faults(value: Json, type_: type[T], prefix: str = "") -> tuple[T | None, list[tuple[str, str]]]:
    """All that is wrong with the shape of `value`, each as its key and what is the matter, and what the rest of it is.

    What is wrong is left out and the rest looked at again; None where nothing can be left out.
    """
    told: list[tuple[str, str]] = []
    while True:
        try:
            return typed.convert(value, type_), told
        except msgspec.ValidationError as fault:
            message = _with_key(str(fault), value, type_)
            key, _, what = explain(message, type_, prefix).partition(": ")
            told.append((key, what))
            match = _AT.match(message)
            unknown = re.match(r"Object contains unknown field `(.*)`", match["what"] if match else "")
            parts = [
                *_parts(_dotted((match["path"] if match else "") or "")),
                *((unknown[1],) if unknown else ()),
            ]
            rest = _without(value, parts)
            if rest is value or len(told) == _FAULTS_TOLD:
                return None, told
            value = rest


_FAULTS_TOLD = 50


def _without(value: Json, parts: list[str]) -> Json:
    """The value without what these keys lead to, as far as they do; itself where they lead nowhere."""
    if not parts or not isinstance(value, dict) or parts[0] not in value:
        return value
    head, *rest = parts
    inner = _without(value[head], rest)
    left = {key: item for key, item in value.items() if key != head}
    return left if inner is value[head] else left | {head: inner}


def _with_key(message: str, value: Json, type_: type[T]) -> str:
    """msgspec's sentence with the key of a table of the user's own keys that a fault stands under, which it leaves out."""
    match = re.fullmatch(r"(.* - at `\$\.?)([\w.]*)\[\.\.\.\](.*`)", message, re.DOTALL)
    if not match:
        return message
    parts = match[2].split(".") if match[2] else []
    here = value
    for part in parts:
        here = here.get(part) if isinstance(here, dict) else None
    for key, item in here.items() if isinstance(here, dict) else ():
        try:
            typed.convert(_at(value, parts, {key: item}), type_)
        except msgspec.ValidationError as fault:
            if str(fault) == message and not re.search(r"[`\]]", key):
                return f"{match[1]}{match[2]}[{key}]{match[3]}"
    return message


def _at(value: Json, parts: list[str], inner: Json) -> Json:
    """The value with `inner` in the place that these keys lead to."""
    return {**value, parts[0]: _at(value[parts[0]], parts[1:], inner)} if parts else inner


def explain(message: str, type_: object, prefix: str = "") -> str:
    """msgspec's sentence in ours: the path first, no `$`, no backticks."""
    match = _AT.match(message)
    assert match
    path = ".".join(part for part in (prefix, match["path"] or "") if part).replace(".[", "[")
    path = _dotted(path)
    what = match["what"].replace("`", "")
    unknown = re.match(r"Object contains unknown field (.*)", what)
    if unknown:
        key = unknown[1]
        struct = _struct_at(type_, match["path"] or "")
        left_out: dict[str, str] = getattr(struct, "left_out", {})
        why = left_out.get(key) or f"unknown key{nearest(key, _field_names(struct))}"
        return f"{path + '.' if path else ''}{key}: {why}"
    missing = re.match(r"Object missing required field (.*)", what)
    if missing:
        return f"{path + '.' if path else ''}{missing[1]}: missing"
    if (word := re.fullmatch(r"Invalid enum value '(.*)'", what)) and (
        words := _words(type_, match["path"] or "")
    ):
        what = f'"{word[1]}" is none of {", ".join(words)}{nearest(word[1], words)}'
    what = what[:1].lower() + what[1:]
    return f"{path}: {what}" if path else what


def _struct_at(type_: object, path: str) -> object:
    """The struct that `path` leads to; None where it leads to none."""
    for part in _parts(path):
        type_ = next((t for t in _flatten(_hint(type_, part)) if _is_struct(t)), None)
    return type_ if _is_struct(type_) else None


def _field_names(struct: object) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(struct)] if _is_struct(struct) else []  # type: ignore[arg-type]


def _words(type_: object, path: str) -> list[str]:
    """The words that may stand at `path`, or below it by any key."""
    *outer, last = _parts(path) or [""]
    found = _flatten(_hint(_struct_at(type_, ".".join(outer)), last))
    return [str(word) for one in found if get_origin(one) is Literal for word in get_args(one)]


def _dotted(path: str) -> str:
    """`table[key]` as `table.key`; places in lists stay."""
    return re.sub(r"\[([^]\d.][^]]*)\]", r".\1", path)


def _parts(path: str) -> list[str]:
    return [part for part in re.sub(r"\[[^]]*\]", "", path).split(".") if part]


def _hint(type_: object, name: str) -> object:
    """The type of that field of a struct."""
    fields = msgspec.structs.fields(type_) if _is_struct(type_) else ()  # type: ignore[arg-type]
    return next((field.type for field in fields if field.name == name), None)


def _is_struct(type_: object) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)


def _flatten(type_: object) -> list[object]:
    args = getattr(type_, "__args__", ())
    return [type_, *(inner for arg in args for inner in _flatten(arg))]
