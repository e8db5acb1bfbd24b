"""What type a column of JSON values has: the narrowest that holds every value of it exactly, else text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from batchtui.model import Json

LEAVES_MAX = 200
"""Fields in a nested column; tables with more (or with names of their own in every row) stand as JSON text."""
_DEPTH_MAX = 12
_INT64 = 2**63
_EXACT = 2**53
"""Up to here whole numbers and fractions may share a column of doubles."""
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass
class Shape:
    """The type of a column so far. `kind` is one of none, bool, int, float, stamp, text, list, table and mixed.

    Mixed values, whole numbers beyond 64 bits among them, are written as text.
    """

    kind: str = "none"
    wide: bool = False
    """Whether a whole number is among them that a double would round."""
    items: Shape | None = None
    fields: dict[str, Shape] = field(default_factory=dict)

    @property
    def leaves(self) -> int:
        inner = [*self.fields.values(), *([self.items] if self.items else [])]
        return sum(shape.leaves for shape in inner) if inner else 1

    def add(self, value: Json, depth: int = 0) -> None:
        """Take in one more value; null says nothing."""
        if value is None or self.kind == "mixed":
            return
        kind = _kind(value)
        if self.kind == "none":
            self.kind = kind
        elif {self.kind, kind} == {"int", "float"}:
            self.kind = "float"
        elif self.kind != kind:
            self.kind = "mixed"
        if kind == "int":
            self.wide = self.wide or abs(value) > _EXACT
        if (self.kind == "float" and self.wide) or depth > _DEPTH_MAX:
            self.kind = "mixed"
        if self.kind == "list":
            self.items = self.items or Shape()
            for item in value:
                self.items.add(item, depth + 1)
        elif self.kind == "table":
            for name, inner in value.items():
                self.fields.setdefault(name, Shape()).add(inner, depth + 1)
            if len(self.fields) > LEAVES_MAX:
                self.kind = "mixed"

    def settle(self) -> None:
        """Once every value is in: what Parquet cannot hold as a table becomes text."""
        for inner in (*self.fields.values(), *([self.items] if self.items else [])):
            inner.settle()
        if self.kind == "table" and (not self.fields or self.leaves > LEAVES_MAX):
            self.kind = "mixed"


def is_stamp(value: Json) -> bool:
    """Whether a text is a time as the store writes it."""
    return isinstance(value, str) and bool(_STAMP.fullmatch(value))


def _kind(value: Json) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -_INT64 <= value < _INT64 else "mixed"
    if isinstance(value, float):
        return "float"
    if isinstance(value, list):
        return "list"
    return "table" if isinstance(value, dict) else "text"
