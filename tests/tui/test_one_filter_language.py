"""Three lists, one language: patterns, comparisons, and what is misspelt is told where one types."""

from __future__ import annotations

import pytest

from batchtui.errors import BadInput
from batchtui.results.views.shapes import Column, Table
from batchtui.store.library import Library
from batchtui.tui.models import batch_filter
from batchtui.tui.models.link import Link
from batchtui.tui.models.table_rows import TableRows
from tests.tui.samples import Sample, app_over
from tests.tui.waiting import screen_text, until


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("cost>0.1", ["eval-may-full"]),
        ("cost>", ["all"]),
        ("failed>=2 !backend:local", ["eval-may-full"]),
        ("jobs<50 !id:h6v5ra", ["n-1-contingency", "chat-smoke"]),
        ("/^d5|sum.*ies/", ["tox-labels", "summaries"]),
        ("name:/^s/", ["site-sweep", "summaries"]),
        ("state:paused", ["chat-smoke"]),
        ("percent=100 backend=openai", ["invoices-2026-10", "old-run"]),
    ],
)
def test_of_batches(library: Library, query: str, names: list[str]) -> None:
    link = Link(library)
    link.read()
    matches = batch_filter.parse(query)
    found = {status.name for status in link.statuses() if matches(status)}
    assert found == set(names) if names != ["all"] else len(found) == 8


@pytest.mark.parametrize(
    ("query", "words"),
    [("bakend:chat", 'did you mean "backend"?'), ("cots>1", 'did you mean "cost"?'), ("/(/", "no regular")],
)
def test_of_batches_what_makes_no_sense_is_told(query: str, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        batch_filter.parse(query)
    assert words in str(refused.value)


def test_of_a_table() -> None:
    rows = TableRows(Table([Column("species"), Column("grams")], [["Adelie", 3700], ["Gentoo", 5100]]))
    assert rows.numbers("/^ad|x/", None, False) == [0]
    assert rows.numbers("species:/TOO$/", None, False) == [1]
    with pytest.raises(BadInput) as refused:
        rows.numbers("specis:Adelie", None, False)
    assert 'did you mean "species"?' in str(refused.value)


async def test_it_is_told_whole_at_80_columns(library: Library) -> None:
    app = app_over(library)
    told = 'there is no field "bakend"; did you mean "backend"? In quotes it is looked'
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"bakend:chat")
        await until(pilot, lambda: told in screen_text(pilot))
        await pilot.press("enter", "escape", "slash", *"backend:daly", "enter", "enter")
        await until(pilot, lambda: "site-sweep" in screen_text(pilot) and "Jobs 64" in screen_text(pilot))
        await pilot.press("slash", *"erorr:rate")
        told = 'there is no field "erorr"; did you mean "error"? In quotes it is looked for'
        await until(pilot, lambda: told in screen_text(pilot))
        await pilot.press("escape", "slash", *"/-6[0-3]$/", "enter")
        await until(pilot, lambda: "Jobs 4 of 64 shown" in screen_text(pilot))


async def test_a_pattern_that_would_take_for_ever_is_told_and_the_keys_are_those_that_work(
    library: Library,
) -> None:
    slow = Sample(library, "zzzzzz", "a" * 60 + "!", ["1"])
    slow.close()
    app = app_over(library)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "zzzzzz" in app.batches_screen().table.ids)
        await pilot.press("slash")
        await pilot.press(*"name:/(a|aa)+$/")
        await until(pilot, lambda: "takes too long to look for" in screen_text(pilot))
        text = screen_text(pilot)
        assert "f1" in text, "a question mark would be typed"
        assert "what a filter takes" in text
        await pilot.press("f1")
        await until(pilot, lambda: "Help" in screen_text(pilot))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: "site-sweep" in screen_text(pilot))
