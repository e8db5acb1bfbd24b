"""The ways in which a value may stand in a text: `1234.5` as `$1,234.50`, `2024-03-05` as `March 5, 2024`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime

from batchtui.model import Json

LONGEST = 2_000
"""Characters of a text value beyond which it is no value to look up."""
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_BLANKS = re.compile(r"\s+")


def forms(value: Json) -> list[str]:
    """How the value may be written, without repeats; empty for what is not looked up: None, booleans, "", lists, tables."""
    if value is None or isinstance(value, bool | list | dict) or value == "":
        return []
    if isinstance(value, int | float):
        return list(dict.fromkeys(_number(value)))
    if not isinstance(value, str) or len(value) > LONGEST or not value.strip():
        return []
    return list(dict.fromkeys(_text(value)))


def _number(value: float) -> Iterator[str]:
    sign = "-" if value < 0 else ""
    try:
        size = abs(value)
        whole = size == int(size)
    except (OverflowError, ValueError):  # infinity, NaN
        return
    if size >= 1e18:
        return
    if whole:
        plain = [f"{start}{end}" for start in (f"{int(size)}", f"{int(size):,}") for end in ("", ".00", ".0")]
    else:
        plain = [repr(size), f"{size:.2f}", f"{size:.3f}", f"{size:,}", f"{size:,.2f}", f"{size:,.3f}"]
        plain = [text for text in plain if "e" not in text and float(text.replace(",", "")) != 0]
    for text in plain:
        yield f"{sign}{text}"
        yield f"{sign}${text}"


def _text(value: str) -> Iterator[str]:
    text = value.strip()
    yield text
    unquoted = text.strip("\"'“”‘’")
    if unquoted.strip():
        yield unquoted
    if _ISO.fullmatch(text):
        try:
            yield from _date(datetime.fromisoformat(text).date())
        except ValueError:
            return


def _date(day: date) -> Iterator[str]:
    long, short = f"{day:%B}", f"{day:%b}"
    yield day.isoformat()
    for month in (long, short, f"{short}."):
        for number in (str(day.day), f"{day.day:02}"):
            yield f"{month} {number}, {day.year}"
            yield f"{month} {number} {day.year}"
            yield f"{number} {month} {day.year}"
    for year in (f"{day.year:04}", f"{day.year % 100:02}"):
        for month, number in ((f"{day.month:02}", f"{day.day:02}"), (str(day.month), str(day.day))):
            for mark in "/-":
                yield f"{month}{mark}{number}{mark}{year}"
                yield f"{number}{mark}{month}{mark}{year}"


def folded(text: str) -> str:
    """Case, runs of blanks and the two minus signs told apart no longer, as both sides of a comparison must be."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", text)).casefold().replace("−", "-")


def stands_in(form: str, text: str) -> bool:
    """Whether the folded form stands in the folded text by itself: not inside a longer number or word."""
    at = text.find(form)
    while at >= 0:
        if _free_before(form, text, at) and _free_after(form, text, at + len(form)):
            return True
        at = text.find(form, at + 1)
    return False


def _free_before(form: str, text: str, at: int) -> bool:
    before = text[at - 1] if at else " "
    earlier = text[at - 2] if at > 1 else " "
    first = form[0]
    if first == "-" and form[-1:].isdigit():
        return not before.isalnum()  # else it is no sign: a range, a date
    if _joins(first) and _joins(before):
        return False
    if first.isdigit() and before in ".,":
        return not earlier.isdigit()
    if (first.isdigit() or first == "$") and before == "-":
        return earlier.isalnum()  # else it is a sign: another number
    return True


def _free_after(form: str, text: str, end: int) -> bool:
    after = text[end] if end < len(text) else " "
    last = form[-1]
    if not _joins(last):
        return True
    if _joins(after):
        return False
    if last.isdigit() and after in ".,":
        return not text[end + 1 : end + 2].isdigit()
    return True


def _joins(character: str) -> bool:
    """Whether it makes one word with a letter beside it; scripts without blanks between words do not."""
    if not (character.isalnum() or character == "_"):
        return False
    if character < "\u0e00":
        return True
    return unicodedata.east_asian_width(character) not in "WF" and not "\u0e00" <= character <= "\u0eff"
