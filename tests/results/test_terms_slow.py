"""A pattern over text from outside is stopped, and told, where it would take for ever."""

from __future__ import annotations

import contextlib

import pytest

from batchtui.errors import BadInput
from batchtui.model import Result
from batchtui.results.reading.query import TOKEN, parse
from batchtui.results.reading.terms import finder

SLOW = ("/(a+)+b/", "/(a|a)*b/", r"/(\w+\s?)+$/", "/(a|aa)+$/")
ALMOST = "a" * 60 + "!"


@pytest.mark.parametrize("pattern", SLOW)
def test_it_comes_to_an_end_at_a_text_that_almost_fits(pattern: str) -> None:
    """Without one the test would take years."""
    with contextlib.suppress(BadInput):
        assert not finder(pattern)(ALMOST)


def test_one_is_told() -> None:
    with pytest.raises(BadInput, match="takes too long"):
        parse("/(a|aa)+$/").matches(Result(job_id=ALMOST, status="completed"))  # type: ignore[arg-type]


def test_patterns_are_those_of_python() -> None:
    for pattern, text in (
        (r"/time ?out/", "TimeOut"), (r"/^row-\d+$/", "row-12"), (r"/(?i:x)[^y]\b/", "Xz"), (r"/über/", "ÜBER"),
    ):  # fmt: skip
        assert finder(pattern)(text), pattern
    with pytest.raises(BadInput, match="no regular expression"):
        finder("/(/")


def test_a_pattern_that_is_not_closed_yet_is_read_at_once() -> None:
    """Each escape doubled the time; with two hundred the test would take years."""
    unclosed = "/" + r"\d" * 200
    assert TOKEN.findall(unclosed) == [unclosed]
    assert TOKEN.findall(f"{unclosed}/ x") == [f"{unclosed}/", "x"]
    assert TOKEN.findall(r"/a\/b c/ d") == [r"/a\/b c/", "d"]
