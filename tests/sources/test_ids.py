from __future__ import annotations

import pytest

from batchtui.model import Json, Row
from batchtui.sources.rows.ids import SeenIds
from batchtui.sources.templates.template import TemplateError, render_id


@pytest.mark.parametrize(
    ("value", "id_"),
    [(1.0, "1"), (-0.0, "0"), (-3.0, "-3"), (2.0**53 - 1, "9007199254740991"), (7, "7"), ("1.0", "1.0")],
)
def test_whole_numbers_are_ids_however_they_are_written(value: Json, id_: str) -> None:
    assert render_id(None, Row(1, None, {"id": value}), "id") == id_


@pytest.mark.parametrize("value", [1.5, 1e20, 2.0**53, -1e300, True, None, [1.0], {}])
def test_other_values_are_no_ids(value: Json) -> None:
    with pytest.raises(TemplateError, match="id"):
        render_id(None, Row(1, None, {"id": value}), "id")


def test_a_text_and_a_whole_float_of_the_same_digits_are_one_id() -> None:
    seen = SeenIds("rows.jsonl")
    rows = [Row(1, 1, {"id": "1"}), Row(2, 2, {"id": 1.0})]
    clashes = [seen.check(render_id(None, row, "id"), row) for row in rows]
    assert clashes[0] is None
    assert clashes[1] is not None
    assert "taken by line 1" in clashes[1].message
