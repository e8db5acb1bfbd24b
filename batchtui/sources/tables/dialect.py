"""How a table of texts is written: its separator, Excel's `sep=` line, the comma of its numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from batchtui.errors import nearest
from batchtui.sources.faults import BadSource
from batchtui.sources.inputs import Input
from batchtui.text import cell

WORDS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|", "pipe": "|", "space": " "}
_SEP_LINE = re.compile(r'"?sep=([^\r\n])"?\1*[ \t]*(?:\r|\n|\Z)', re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"([+-]?(?:\d{1,3}(?:[. \u00a0\u202f']\d{3})+|\d+)),(\d+(?:[eE][+-]?\d+)?)")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+")


@dataclass(frozen=True)
class Dialect:
    """How a table is written. `sep_line`: its first line is Excel's `sep=;`, which is no row."""

    separator: str
    decimal_comma: bool = False
    sep_line: bool = False
    explicit: bool = False
    """Whether the separator was said and not guessed from the ending."""


def dialect_of(source: Input, usual: str, separator: str | None, decimal: str | None) -> Dialect:
    """What `[source]` says stands over the file's own `sep=` line, that over what is usual. Raises BadSource."""
    found = _SEP_LINE.match(source.head[:100].decode("utf-8", "replace"))
    said = None if separator is None else _separator(separator)
    used = said or (found[1] if found else usual)
    if decimal not in (None, ".", ","):
        raise BadSource(f'expected "," or ".", got "{cell(decimal, 20)}"', key="source.decimal")
    if decimal == used == ",":
        raise BadSource(
            '"," separates the cells here; with decimal = "," name another separator, as separator = ";"',
            key="source.decimal",
        )
    return Dialect(used, decimal == ",", found is not None, said is not None or found is not None)


def _separator(text: str) -> str:
    found = _NAMES.get(text.lower(), text)
    if len(found) == 1 and not found.isalnum() and found not in '"\r\n\0':
        return found
    hint = nearest(text.lower(), _NAMES) or '; such as ";", "|" or "tab"'
    raise BadSource(f'expected one sign, got "{cell(text, 20)}"{hint}', key="source.separator")


def with_point(text: str) -> str:
    """`1.234,5` as `1234.5`; a text that is no number with a comma stays."""
    found = _DECIMAL_COMMA.fullmatch(text.strip()) if "," in text else None
    return f"{re.sub(r'[^0-9+-]', '', found[1])}.{found[2]}" if found else text


def grouping_doubt(cells: list[str]) -> str | None:
    """A word about a cell such as `1.234`, of which nobody knows what its point means."""
    found = next(filter(_GROUPED.fullmatch, cells), None)
    if found is None:
        return None
    return (
        f'"{cell(found, 40)}" stays as it is though decimal is ",": its points may group thousands, '
        "or it may be no number"
    )
