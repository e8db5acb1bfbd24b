"""The filters and tests of templates: pure functions over JSON values, their cost bounded."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from jinja2.runtime import Undefined

from batchtui.model import Json
from batchtui.sources.json_forms.json_cells import from_text

TEXT_LIMIT = 16 * 1024 * 1024
"""Characters that a filter may make."""


def as_text(value: Json) -> str:
    """A value inside a longer text: texts as they are, all else as JSON writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, Undefined):
        return str(value)  # raises, naming what is missing
    return json.dumps(value, ensure_ascii=False, default=dict)


def upper(value: Json) -> str:
    return as_text(value).upper()


def lower(value: Json) -> str:
    return as_text(value).lower()


def title(value: Json) -> str:
    return as_text(value).title()


def trim(value: Json) -> str:
    return as_text(value).strip()


def length(value: Json) -> int:
    _sized(value, "length")
    return len(value)


def first(value: Json) -> Json:
    return _end(value, 0, "first")


def last(value: Json) -> Json:
    return _end(value, -1, "last")


def default(value: Json, default_value: Json = "", boolean: bool = False) -> Json:
    """Instead of what is missing; with `boolean` also instead of what is empty, 0, false or null."""
    return default_value if isinstance(value, Undefined) or (boolean and not value) else value


def join(value: Json, d: Json = "") -> str:
    _sized(value, "join")
    parts, between = [as_text(part) for part in value], as_text(d)
    _bounded(sum(map(len, parts)) + len(parts) * len(between))
    return between.join(parts)


def replace(value: Json, old: str, new: str) -> str:
    text = as_text(value)
    _bounded(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def truncate(value: Json, length: int = 255, end: str = "…") -> str:
    """At most `length` characters, `end` among them."""
    text = as_text(value)
    return text if len(text) <= length else text[: max(0, length - len(end))] + end


def tojson(value: Json) -> str:
    if isinstance(value, Undefined):
        str(value)
    return json.dumps(value, ensure_ascii=False, default=dict)


def json_value(value: Json) -> Json:
    """What a text holds as JSON; what is no text is there already."""
    if isinstance(value, Undefined):
        str(value)
    return from_text(value) if isinstance(value, str) else value


def string(value: Json) -> str:
    return as_text(value)


def integer(value: Json, default: Json = None) -> Json:
    """A whole number, cut towards zero; `default` where the value is none."""
    try:
        try:
            return int(value)
        except ValueError:
            return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return _instead(value, default, "int")


def number(value: Json, default: Json = None) -> Json:
    try:
        made = float(value)
    except (TypeError, ValueError, OverflowError):
        made = math.nan
    return made if math.isfinite(made) else _instead(value, default, "float")


def rounded(value: Json, precision: int = 0) -> Json:
    """A whole number for precision 0."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("round needs a number; make one of a text with | float")
    return round(value, min(precision, 15)) if precision > 0 else round(value)


def _instead(value: Json, default: Json, name: str) -> Json:
    if default is None:
        raise ValueError(f'{name}: "{as_text(value)[:40]}" is no number; | {name}(0) would put a 0 there')
    return default


def _sized(value: Json, name: str) -> None:
    if isinstance(value, Undefined):
        str(value)
    if not isinstance(value, str | list | dict):
        raise ValueError(f"{name} needs a text or a list")


def _end(value: Json, index: int, name: str) -> Json:
    _sized(value, name)
    if isinstance(value, dict) or not value:
        raise ValueError(f"{name} needs a text or a list that is not empty")
    return value[index]


def _bounded(characters: int) -> None:
    if characters > TEXT_LIMIT:
        raise ValueError(f"more than {TEXT_LIMIT:,} characters")


FILTERS: dict[str, Callable[..., Any]] = {
    "default": default,
    "first": first,
    "float": number,
    "int": integer,
    "join": join,
    "json": json_value,
    "last": last,
    "length": length,
    "lower": lower,
    "replace": replace,
    "round": rounded,
    "string": string,
    "title": title,
    "tojson": tojson,
    "trim": trim,
    "truncate": truncate,
    "upper": upper,
}
TESTS: dict[str, Callable[..., bool]] = {
    "defined": lambda value: not isinstance(value, Undefined),
    "undefined": lambda value: isinstance(value, Undefined),
    "none": lambda value: value is None,
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
