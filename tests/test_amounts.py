"""One value is one text: on the screen, in the shell, in reasons."""

from __future__ import annotations

import pytest

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
    assert amounts.usd(amount) == spending.usd(round(amount * amounts.NANO)) == words
    assert phrases.money(amount) == sign
    if not 0.01 <= amount < 0.1:  # where the screen has whole cents
        assert (figures.money(amount), figures.dollars(amount)) == (words, sign)


def test_where_nothing_is_known_a_cell_says_so_and_a_line_is_empty() -> None:
    assert (figures.money(None), phrases.money(None)) == ("-", "")
