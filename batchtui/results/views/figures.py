"""Values as a person reads them: in table cells, at axes and in legends."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import TypeGuard

from batchtui.model import Json
from batchtui.results.views.shapes import Column, View
from batchtui.text import cell

_SHORT = 6
"""Digits of a number that names none."""
_TINY = 1e-7
_LARGEST, _LEAST = 1e300, 1e-300
"""JSON's numbers have no bound; sums, differences and shares of what is drawn stay finite between these."""


def is_figure(value: Json) -> TypeGuard[int | float]:
    """Whether it can be drawn: a number, no truth value, and of a size that can be reckoned with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST


def number(value: float, digits: int | None = None) -> str:
    """`1.23457`, `4.2e+09`, `-0.50` with `digits` 2; integers whole."""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**15 else f"{Decimal(value):.6e}"
    if not math.isfinite(value):
        return "nan" if value != value else "inf" if value > 0 else "-inf"
    if digits is not None and abs(value) < 10**15:
        return f"{value:.{digits}f}"
    if _TINY <= abs(value) < 1e-4:  # as a sum of money is written
        return f"{value:.{_SHORT + 3}f}".rstrip("0")
    return f"{value:.{_SHORT}g}"


def shown(value: Json, column: Column | None = None) -> str:
    """A cell of a table, clean and on one line; empty where there is nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value, column.digits if column else None)
    return cell(value)


def heading(column: Column) -> str:
    """`flow (MW)`."""
    return cell(f"{column.name} ({column.unit})" if column.unit else column.name)


def facts_line(view: View) -> str:
    """`runs 12   mean 4.1   …`; empty where the view has none."""
    return "   ".join(f"{cell(label)} {shown(value)}" for label, value in view.facts)


def differ(low: float, high: float) -> bool:
    """Whether the two are so far apart that there is something between them to tell."""
    return high - low > max(1e-9 * max(abs(low), abs(high)), _LEAST)


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round values from `low` to `high`, steps of 1, 2 or 5, at most `most` of them."""
    if not differ(low, high):
        return [low]
    size = 10.0 ** math.floor(math.log10((high - low) / max(1, most)))
    for step in (size * by for by in (1, 2, 5, 10, 20, 50, 100)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return [n * step for n in range(first, last + 1)] if last > first else [low, high]
    return [low, high]


def tick_words(values: Iterable[float]) -> list[str]:
    """The ticks as text, all with the same digits, as many as it takes to tell them apart."""
    found = list(values)
    largest = max((abs(value) for value in found), default=0.0)
    if largest >= 1e7 or 0 < largest < 1e-4:
        return [f"{value:.3g}" for value in found]
    for digits in range(7):
        words = [f"{value:.{digits}f}" for value in found]
        if all(abs(float(word) - value) <= 1e-4 * largest for word, value in zip(words, found, strict=True)):
            return [
                word.replace("-0", "0", 1) if float(word) == 0 and word.startswith("-") else word
                for word in words
            ]
    return [f"{value:.{_SHORT}g}" for value in found]
