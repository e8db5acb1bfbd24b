"""The JSON value in a model's answer: as it stands, or behind what models like to put around it.

Only what is beyond doubt is mended: a fragment of a broken answer is never taken for the answer.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from batchtui.model import Json

DEPTH_LIMIT = 200
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^\n`]*\n(.*?)^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
_OPENED, _CLOSED = re.compile(r"(?:```+|~~~+)[^\n`]*\n"), re.compile(r"\n[ \t]*(?:`+|~+)[ \t]*\Z")
_UNFENCED = "the code fence around it was taken off"
_BRACKET = re.compile(r"[\[{]")


class Reading(NamedTuple):
    """One way to read an answer. `repaired` says what was done to it; None: it stood as it is."""

    value: Json
    repaired: str | None


class NotJson(ValueError):
    """No one JSON value is in the answer; the text says why."""


def readings(text: str, *, whole: bool = False) -> list[list[Reading]]:
    """The values that an answer may mean, the surest way of reading first. Raises NotJson where there is none.

    They are rivals: only one that alone fits the schema can be meant. `whole`: of a fence round the value alone, which
    may lack its end, and of no other words.
    """
    try:
        return [[Reading(_decode(text), None)]]
    except NotJson as fault:
        why = fault
    bare = text.strip().lstrip("\ufeff").strip()
    if not bare:
        raise NotJson("the answer is empty")
    try:
        return [[Reading(_decode(bare), "a byte order mark was taken off")]]
    except NotJson:
        pass
    if whole:
        if (opened := _OPENED.match(bare)) is None:
            raise why
        return [[Reading(_decode(_CLOSED.sub("", bare[opened.end() :])), _UNFENCED)]]
    ways = [
        [Reading(value, _UNFENCED) for value in _fenced(bare)],
        [Reading(value, "the words around it were left out") for value in _embedded(bare)],
    ]
    if not any(ways):
        raise why
    return [way for way in ways if way]


def _decode(text: str) -> Json:
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as fault:
        where = f"line {fault.lineno}, column {fault.colno}"
        at_end = fault.pos >= len(text.rstrip()) or fault.msg.startswith("Unterminated")
        cut = "it ends too early, " if at_end and text.strip() else ""
        raise NotJson(f"the answer is not JSON: {cut}{_lower(fault.msg)} ({where})") from None
    except RecursionError:
        raise NotJson("the answer is nested too deeply") from None
    except ValueError as fault:
        why = "a number in it has too many digits" if "digits" in str(fault) else fault
        raise NotJson(f"the answer is not JSON: {why}") from None
    if _too_deep(text, value):
        raise NotJson("the answer is nested too deeply")
    return value


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def _too_deep(text: str, value: Json) -> bool:
    if text.count("[") + text.count("{") <= DEPTH_LIMIT:
        return False
    level = [value]
    for _ in range(DEPTH_LIMIT):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Json) -> list[Json]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [part for part in parts if isinstance(part, dict | list)]


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:40]} is too large a number")
    return value


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def _fenced(text: str) -> Iterator[Json]:
    for match in _FENCE.finditer(text):
        try:
            yield _decode(match[2])
        except NotJson:
            continue


def _embedded(text: str) -> Iterator[Json]:
    """Objects and lists that stand in words. What is left beside them must not look like more of one."""
    spans: list[tuple[int, int, Json]] = []
    at = 0
    while match := _BRACKET.search(text, at):
        try:
            value, at = _DECODER.raw_decode(text, match.start())
        except RecursionError:
            return
        except ValueError:
            if match[0] == "{":
                return  # what comes later would stand beside this broken one
            at = match.end()
            continue
        if not _too_deep(text[match.start() : at], value):
            spans.append((match.start(), at, value))
    left = {
        mark: text.count(mark) - sum(text.count(mark, start, end) for start, end, _ in spans)
        for mark in "{}[]"
    }
    if not left["{"] and not left["}"] and left["["] == left["]"]:
        yield from (value for _, _, value in spans)
