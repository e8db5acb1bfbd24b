"""The beginning of a JSON document: to indent it takes a microsecond a value, and it may hold millions. No Textual here."""

from __future__ import annotations

from itertools import takewhile

from batchtui.model import Json


class FirstValues:
    """`cut` says afterwards whether there were more of them than `most`."""

    def __init__(self, most: int) -> None:
        self._left = most
        self.cut = False

    def of(self, value: Json) -> Json:
        """A copy of the value that ends where so many were taken."""
        self._left -= 1
        if isinstance(value, dict):
            return {key: self.of(inner) for key, inner in takewhile(self._more, value.items())}
        if isinstance(value, list):
            return [self.of(inner) for inner in takewhile(self._more, value)]
        return value

    def _more(self, _: object) -> bool:
        self.cut = self.cut or self._left <= 0
        return not self.cut
