"""The filter of `[source] where`: the language of `--where`, over the columns of a row.

status=open price>5      both must hold: = != < <= > >=, numbers as numbers, letters in either case
"Unit Price">5           a name with spaces stands in quotes, `a.b[0]` leads into nested values
!status=done             `!` turns a term round; `note=` is empty or missing
adelie                   a word somewhere in the row
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from batchtui.model import Json
from batchtui.results.reading.query import OPERATOR, TOKEN, as_text, comparison, lookup
from batchtui.sources.faults import BadSource

Values = dict[str, Json]
Test = Callable[[Values], bool]
_SPACED = re.compile(r'("[^"]*")|\s*(==)\s*|\s+(!=|<=|>=|=|<|>)\s*')
_SINGLE_QUOTES = re.compile(r"""(?<=[=<>])'([^'"]*)'""")
_QUOTED_NAME = re.compile(rf'"([^"]+)"({OPERATOR.pattern})(.*)', re.DOTALL)


@dataclass(frozen=True)
class Where:
    """A filter that was read. `paths` are what it compares by; each begins with a column."""

    text: str
    paths: tuple[str, ...]
    tests: tuple[Test, ...]

    def matches(self, values: Values) -> bool:
        return all(test(values) for test in self.tests)


def parse_where(text: str) -> Where:
    """Raises BadSource."""
    paths: list[str] = []
    tests: list[Test] = []
    plain = _SINGLE_QUOTES.sub(r'"\1"', _SPACED.sub(_joined, text))
    for token in TOKEN.findall(plain):
        if token.casefold() in ("and", "&&"):
            continue
        if token.casefold() in ("or", "||"):
            raise BadSource(
                f'"{token}" joins no terms: they stand side by side and must all hold; '
                f"to look for the word, write it in quotes",
                key="source.where",
            )
        negated = token.startswith("!") and len(token) > 1
        path, test = _term(token[1:] if negated else token)
        if path is not None:
            paths.append(path)
        tests.append(_opposite(test) if negated else test)
    return Where(text, tuple(paths), tuple(tests))


def column_of(path: str, columns: Iterable[str]) -> str | None:
    """The column that a path begins with, of those that there are."""
    known = [name for name in columns if path == name or path.startswith((f"{name}.", f"{name}["))]
    return max(known, key=len, default=None)


def _joined(match: re.Match[str]) -> str:
    """Operators without the spaces around them, `==` as `=`; what stands in quotes stays."""
    return match[1] or ("=" if match[2] else match[3])


def _term(body: str) -> tuple[str | None, Test]:
    """The path that a term compares by (None: it looks for a word), and the test."""
    if match := _QUOTED_NAME.fullmatch(body):
        path, operator, literal = match[1], match[2], match[3].replace('"', "")
        return path, _comparison(path, operator, literal)
    plain = body.replace('"', "")
    found = None if body.startswith('"') else OPERATOR.search(plain)
    if found and found.start():
        path = plain[: found.start()].removeprefix("row.")
        return path, _comparison(path, found[0], plain[found.end() :])
    part = plain.casefold()
    return None, lambda values: any(part in as_text(value).casefold() for value in values.values())


def _comparison(path: str, operator: str, literal: str) -> Test:
    return comparison(lambda values: lookup(values, path), operator, literal)


def _opposite(test: Test) -> Test:
    return lambda values: not test(values)
