"""JSON Lines, and JSON: an array of objects, one object, or `{"requests": […]}`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from batchtui.model import Json, Problem, Row
from batchtui.sources.content import warnings
from batchtui.sources.inputs import BOM, LINE_LIMIT, Input, encoding_fault
from batchtui.sources.source import Rows
from batchtui.sources.strict_json import NotJson, StrictDecoder, kind_of

DOCUMENT_LIMIT = 64 * 1024 * 1024
"""Bytes of a JSON document, which is held in memory whole; JSON Lines has no limit."""
_SPACE = re.compile(r"[ \t\r\n]*")


def looks_like_lines(source: Input) -> bool:
    """Whether a text that begins with `{` is JSON Lines: its first line is complete and not the only one."""
    lines = (raw for _, raw in source.lines() if raw is None or raw.strip())
    first = next(lines, None)
    if first is None or next(lines, b"") == b"":
        return False
    try:
        StrictDecoder().decode(first.decode("utf-8", "replace"))
    except NotJson as fault:
        return fault.end is not None
    return True


def jsonl_rows(source: Input) -> Rows:
    """One object a line; blank lines count as lines, not as rows."""
    decoder = StrictDecoder()
    number = 0
    for line, raw in source.lines():
        if raw is not None and not raw.strip():
            continue
        number += 1
        if raw is None:
            yield Problem(
                file=source.name, line=line, row=number, message=f"longer than {LINE_LIMIT:,} bytes"
            )
            continue
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as fault:
            yield Problem(file=source.name, line=line, row=number, message=encoding_fault(fault))
            continue
        try:
            start = _space(text, 0)
            value, end = decoder.decode(text, start)
            if _space(text, end) != len(text):
                raise NotJson("not JSON: more text after the object", end)
        except NotJson as fault:
            column = f" (column {fault.at + 1})" if fault.message.startswith("not JSON") else ""
            yield Problem(file=source.name, line=line, row=number, message=fault.message + column)
            continue
        hint = "; an array of objects belongs into a .json file" if isinstance(value, list) else ""
        yield from _row(source.name, number, line, value, text, hint)


def json_rows(source: Input) -> Rows:
    """The objects of an array, or the one object, each with the line it starts on."""
    with source.open() as stream:
        raw = stream.read(DOCUMENT_LIMIT + 1)
    if len(raw) > DOCUMENT_LIMIT:
        yield Problem(
            file=source.name, message=f"more than {DOCUMENT_LIMIT >> 20} MB of JSON; bring it as JSON Lines"
        )
        return
    raw = raw.removeprefix(BOM)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        yield Problem(file=source.name, line=line, message=encoding_fault(fault))
        return
    del raw
    lines = _LineCounter(text)
    try:
        start = _space(text, 0)
        if start == len(text):
            return
        if text[start] == "[":
            yield from _array(source.name, text, start + 1, lines)
            return
        value, end = StrictDecoder().decode(text, start)
        _end(text, end)
    except NotJson as fault:
        yield Problem(file=source.name, line=lines.at(fault.at), message=fault.message)
        return
    requests = value.get("requests") if isinstance(value, dict) else None
    if isinstance(requests, list):
        for number, request in enumerate(requests, 1):
            yield from _row(source.name, number, None, request, json.dumps(request))
    else:
        yield from _row(source.name, 1, lines.at(start), value, text)


def _array(name: str, text: str, at: int, lines: _LineCounter) -> Rows:
    """The elements one by one: a bad number or a repeated key spoils one row, bad syntax all that follow."""
    decoder = StrictDecoder()
    number = 0
    at = _space(text, at)
    if text.startswith("]", at):
        _end(text, at + 1)
        return
    while True:
        number += 1
        at = _space(text, at)
        line = lines.at(at)
        try:
            value, end = decoder.decode(text, at)
        except NotJson as fault:
            if fault.end is None:
                raise
            end = fault.end
            yield Problem(file=name, line=line, row=number, message=fault.message)
        else:
            yield from _row(name, number, line, value, text[at:end])
        at = _space(text, end)
        if text.startswith("]", at):
            _end(text, at + 1)
            return
        if not text.startswith(",", at):
            raise NotJson('not JSON: expected "," or "]" after an element of the array', at)
        at += 1


def _row(name: str, number: int, line: int | None, value: Json, text: str, hint: str = "") -> Rows:
    if not isinstance(value, dict):
        yield Problem(
            file=name, line=line, row=number, message=f"expected a JSON object, got {kind_of(value)}{hint}"
        )
        return
    for warning in warnings(text):
        yield Problem(file=name, line=line, row=number, message=warning, fatal=False)
    yield Row(number, line, value)


def _end(text: str, at: int) -> None:
    at = _space(text, at)
    if at != len(text):
        raise NotJson("not JSON: more text after the end", at)


def _space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


class _LineCounter:
    """Line numbers of places that mostly come in order, each stretch counted once."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._line = text, 0, 1

    def at(self, place: int) -> int:
        if place < self._at:
            self._at, self._line = 0, 1
        self._line += self._text.count("\n", self._at, place)
        self._at = place
        return self._line


def peek_columns(rows: Iterator[Row | Problem]) -> tuple[list[str], list[Row]]:
    """Every key of the given rows in order of first sight, and the rows."""
    found = [row for row in rows if isinstance(row, Row)]
    return list(dict.fromkeys(key for row in found for key in row.values)), found
