"""JSON Lines, and JSON: an array of objects, one object, or `{"requests": […]}`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from batchtui.model import Json, Problem, Row
from batchtui.sources.inputs import LINE_LIMIT, Input, encoding_fault
from batchtui.sources.json_forms.json_places import NoRows, rows_hint, stand_at
from batchtui.sources.json_forms.json_reader import Damaged, JsonReader, after_space, document
from batchtui.sources.json_forms.native import form_of
from batchtui.sources.json_forms.strict_json import NotJson, StrictDecoder, kind_of
from batchtui.sources.rows.content import warnings
from batchtui.sources.source import Rows


def looks_like_lines(source: Input) -> bool:
    """Whether a text is JSON Lines: an object stands whole on its first line and is not alone, or on its second one.

    A stray first line may be anything but the beginning of a document.
    """
    lines = (raw for _, raw in source.lines() if raw is None or raw.strip())
    first, second = next(lines, None), next(lines, None)
    if first is None or second is None:
        return False
    if first.lstrip().startswith((b"{", b"[")):
        return _starts_whole(first) and (first.lstrip().startswith(b"{") or _starts_whole(second))
    return second.lstrip().startswith(b"{") and second.rstrip().endswith(b"}") and _starts_whole(second)


def _starts_whole(line: bytes) -> bool:
    """Whether a JSON value that starts this line ends in it."""
    try:
        StrictDecoder().decode(line.decode("utf-8", "replace").lstrip())
    except NotJson as fault:
        return fault.end is not None
    return True


def jsonl_rows(source: Input, room: int | None = None) -> Rows:
    """One object a line; blank lines count as lines, not as rows. With `room` no further than so many bytes."""
    decoder = StrictDecoder()
    number = 0
    for line, raw in source.lines():
        if room is not None:
            room -= len(raw or b"")
            if room < 0 and number:
                return
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
            start = after_space(text, 0)
            value, end = decoder.decode(text, start)
            if after_space(text, end) != len(text):
                raise NotJson("not JSON: more text after the object", end)
        except NotJson as fault:
            column = f" (column {fault.at + 1})" if fault.message.startswith("not JSON") else ""
            yield Problem(file=source.name, line=line, row=number, message=fault.message + column)
            continue
        hint = "; an array of objects belongs into a .json file" if isinstance(value, list) else ""
        yield from _row(source.name, number, line, value, text, hint)


def json_rows(source: Input, path: str | None = None) -> Rows:
    """The objects of an array, or the one object, each with the line it starts on. `path` leads to the array."""
    try:
        reader = JsonReader(document(source))
    except Damaged as damage:
        yield damage.problem
        return
    if reader.empty:
        return
    try:
        if path is not None:
            for _ in stand_at(reader, path):
                yield from array_rows(source.name, reader)
            reader.end()
            return
        if reader.opens("["):
            yield from array_rows(source.name, reader)
            reader.end()
            return
        start, line = reader.at, reader.line
        value = reader.value()
        text = reader.text[start : reader.at]
        reader.end()
    except NoRows as fault:
        yield Problem(file=source.name, key="source.rows", message=str(fault))
        return
    except NotJson as fault:
        yield Problem(file=source.name, line=reader.line_of(fault.at), message=fault.message)
        return
    requests = value.get("requests") if isinstance(value, dict) else None
    if isinstance(requests, list):
        for number, request in enumerate(requests, 1):
            yield from _row(source.name, number, None, request, json.dumps(request))
        return
    if isinstance(value, dict) and form_of(value, []).native is None and (hint := rows_hint(value)):
        yield Problem(file=source.name, line=line, key="source.rows", message=hint, fatal=False)
    yield from _row(source.name, 1, line, value, text)


def array_rows(name: str, reader: JsonReader) -> Rows:
    """The elements one by one: a bad number or a repeated key spoils one row, bad syntax all that follow."""
    for number, _ in enumerate(reader.elements(), 1):
        start, line = reader.at, reader.line
        try:
            value = reader.value()
        except NotJson as fault:
            if fault.end is None:
                raise
            yield Problem(file=name, line=line, row=number, message=fault.message)
        else:
            yield from _row(name, number, line, value, reader.text[start : reader.at])


def _row(name: str, number: int, line: int | None, value: Json, text: str, hint: str = "") -> Rows:
    if not isinstance(value, dict):
        yield Problem(
            file=name, line=line, row=number, message=f"expected a JSON object, got {kind_of(value)}{hint}"
        )
        return
    for warning in warnings(text):
        yield Problem(file=name, line=line, row=number, message=warning, fatal=False)
    yield Row(number, line, value)


def peek_columns(rows: Iterator[Row | Problem]) -> tuple[list[str], list[Row]]:
    """Every key of the given rows in order of first sight, and the rows."""
    found = [row for row in rows if isinstance(row, Row)]
    return list(dict.fromkeys(key for row in found for key in row.values)), found
