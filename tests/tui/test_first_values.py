"""The beginning of a JSON document, whatever its size."""

from __future__ import annotations

from batchtui.tui.look.first_values import FirstValues
from batchtui.tui.widgets.preview import as_json


def test_what_fits_is_whole() -> None:
    value = {"a": [1, 2, {"b": None}], "c": "x"}
    first = FirstValues(7)
    assert first.of(value) == value
    assert not first.cut


def test_the_rest_is_left_out_at_any_depth() -> None:
    first = FirstValues(5)
    assert first.of({"a": [1, [2, 3, 4], 5], "c": "x"}) == {"a": [1, [2]]}
    assert first.cut


def test_a_preview_of_a_million_values_is_short_and_says_so() -> None:
    shown = as_json({"numbers": list(range(1_000_000)), "last": True}).plain
    assert shown.count("\n") < 2100
    assert shown.endswith("… the first 5,000 values; all of them are sent")
