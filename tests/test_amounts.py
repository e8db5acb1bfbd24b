"""One value is one text: on the screen, in the shell, in reasons."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import batchtui
from batchtui import amounts
from batchtui.cli.shared import phrases
from batchtui.engine.spend import spending
from batchtui.tui.look import figures

WORDS = {
    0: "0.00", 0.00003: "<0.0001", 0.0001: "0.0001", 0.0004: "0.0004", 0.0123: "0.0123", 0.02: "0.02", 0.05: "0.05",
    0.09999999: "0.10", 0.1: "0.10", 0.123: "0.12", 0.5: "0.50", 1.934: "1.93", 1234.5: "1,234.50",
}  # fmt: skip


@pytest.mark.parametrize("amount", WORDS)
def test_money_is_written_alike_everywhere(amount: float) -> None:
    words = WORDS[amount]
    sign = "<$" + words[1:] if words.startswith("<") else f"${words}"
    assert amounts.usd(amount) == words
    assert spending.dollars(round(amount * amounts.NANO)) == phrases.money(amount) == sign
    assert figures.dollars(amount) == sign
    if not 0.01 <= amount < 0.1:  # where a column of the screen has whole cents
        assert figures.money(amount) == words


def test_half_a_cent_is_rounded_up_everywhere() -> None:
    assert (amounts.usd(0.125), figures.money(0.125), phrases.money(2.675)) == ("0.13", "0.13", "$2.68")


def test_one_is_one_and_more_are_more() -> None:
    assert [amounts.counted(n, "job") for n in (0, 1, 2, 61_234)] == [
        "0 jobs",
        "1 job",
        "2 jobs",
        "61,234 jobs",
    ]
    assert [amounts.counted(n, "batch", "batches") for n in (1, 2)] == ["1 batch", "2 batches"]


def test_no_text_for_people_has_another_form_of_money() -> None:
    """A sum with its currency behind it; prices of a million tokens and units of figures are no sums."""
    written = re.compile(r"\}\"? USD\b")
    source = Path(batchtui.__file__).parent
    assert [path.name for path in source.rglob("*.py") if written.search(path.read_text("utf-8"))] == []


def test_where_nothing_is_known_a_cell_says_so_and_a_line_is_empty() -> None:
    assert (figures.money(None), phrases.money(None)) == ("-", "")
