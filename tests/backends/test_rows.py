"""Rows of a download, whatever form they lie in and however they are cut into pieces."""

from __future__ import annotations

import json

import pytest

from batchtui.backends.wire.rows import Rows
from batchtui.model import Json

ROWS: list[Json] = [
    {"custom_id": f"r{n}", "text": 'a "b" \\ [,]{}\n ü 😀', "more": [1, [2, {"x": []}], {}]} for n in range(3)
]
LINES = "\n".join(json.dumps(row) for row in ROWS) + "\n"
FORMS = {
    "lines": LINES,
    "lines, as they are": "\r\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\r\n",
    "a list": json.dumps(ROWS),
    "a list over many lines": json.dumps(ROWS, indent=2, ensure_ascii=False),
    "a list, a row a line": " [\n" + ",\n".join(json.dumps(row) for row in ROWS) + "\n]\n",
    "two lists": f"{json.dumps(ROWS[:1])}\n{json.dumps(ROWS[1:])}",
}


def rows(data: bytes, step: int = 5, limit: int = 1 << 20) -> list[bytes]:
    reader = Rows(limit)
    found: list[bytes] = []
    for at in range(0, len(data), step):
        found += reader.feed(data[at : at + step])
    return found + reader.end()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("form", FORMS)
def test_any_form_gives_the_same_rows(form: str, encoding: str) -> None:
    data = FORMS[form].encode(encoding)
    for step in (1, 2, 3, 64, len(data)):
        assert [json.loads(row.decode("utf-8-sig")) for row in rows(data, step)] == ROWS
    assert all(row.endswith(b"\n") for row in rows(data))


def test_plain_lines_pass_as_they_are() -> None:
    data = b'{"a": 1}\r\n\n \xff\xfe \n[1]\n{"b"'
    assert rows(data) == data.splitlines(keepends=True)
    assert rows(b"") == []
    assert rows(b"\n\n") == [b"\n", b"\n"]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_list_that_was_cut_ends_as_a_line_that_was(cut: int) -> None:
    """Its last row has no LF, and is no JSON."""
    found = rows(FORMS["a list"].encode()[:-cut])
    assert [json.loads(row) for row in found[:-1]] == ROWS[:2]
    assert not found[-1].endswith(b"\n")
    with pytest.raises(json.JSONDecodeError):
        json.loads(found[-1])


def test_of_a_row_without_end_its_first_bytes_are_kept() -> None:
    long = json.dumps(["x" * 5000, {"custom_id": "a"}]).encode()
    first, second = rows(long, step=100, limit=1000)
    assert len(first) <= 1001
    assert json.loads(second) == {"custom_id": "a"}


def test_what_stands_behind_a_list_is_lines() -> None:
    assert rows(b'[1]\nnot [a] list\n{"a": [1]}\n') == [b"1\n", b"not [a] list\n", b'{"a": [1]}\n']
    assert rows(b"[]") == []
