"""Numbers as case files of MATPOWER write them: `50/3`, `12/sqrt(3)`, `mpc.bus(1, BASE_KV) * 1e3`.

Only single numbers are worked out: four operations, powers, brackets and a few functions. Names stand for numbers
that the file has set before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final, TypeAlias

Look: TypeAlias = Callable[[str, str], float]
"""What a name stands for, with the text of its index or "". Raises ValueError for one that is not known."""

_TOKEN: Final = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eEdD][+-]?\d+)?|\.\d+(?:[eEdD][+-]?\d+)?)|([A-Za-z]\w*(?:\.\w+)*)|(.))"
)
_FUNCTIONS: Final[dict[str, Callable[[float], float]]] = {
    "sqrt": math.sqrt, "sin": math.sin, "cos": math.cos, "tan": math.tan, "asin": math.asin, "acos": math.acos,
    "atan": math.atan, "abs": abs,
}  # fmt: skip
_MOST: Final = 200
"""Characters of a calculation: so that brackets within brackets have an end."""


def nothing_known(name: str, index: str) -> float:
    raise ValueError(f"no number: {name}")


def number_of(text: str, look: Look = nothing_known) -> float:
    """What the text comes to. Raises ValueError for text that is no such calculation, or has no finite result."""
    return _Calculation(text, look).whole(as_factor=False)


def factor_of(text: str, look: Look) -> float:
    """As `number_of`, of text that may follow `x *` or `x /`: of `a / b` a reader would divide by a alone."""
    return _Calculation(text, look).whole(as_factor=True)


class _Calculation:
    """Recursive descent in MATLAB's precedence: `^` before a sign, a sign before `*` and `/`, these before `+`, `-`."""

    def __init__(self, text: str, look: Look) -> None:
        self._text = text
        self._look = look
        self._tokens = _TOKEN.findall(text.strip()) if len(text) <= _MOST else []
        self._at = 0

    def whole(self, *, as_factor: bool) -> float:
        try:
            value = self._power() if as_factor else self._sum()
        except (ArithmeticError, IndexError):
            raise ValueError(f"no number: {self._text}") from None
        if self._at != len(self._tokens) or isinstance(value, complex) or not math.isfinite(value):
            raise ValueError(f"no number: {self._text}")
        return value

    def _mark(self, *wanted: str) -> str:
        """The next token where it is one of these marks, and goes past it; else ""."""
        found: str = self._tokens[self._at][2] if self._at < len(self._tokens) else ""
        if found not in wanted:
            return ""
        self._at += 1
        return found

    def _sum(self) -> float:
        value = self._product()
        while mark := self._mark("+", "-"):
            other = self._product()
            value = value + other if mark == "+" else value - other
        return value

    def _product(self) -> float:
        value = self._signed()
        while mark := self._mark("*", "/"):
            other = self._signed()
            value = value * other if mark == "*" else value / other
        return value

    def _signed(self) -> float:
        mark = self._mark("+", "-")
        if not mark:
            return self._power()
        return self._signed() if mark == "+" else -self._signed()

    def _power(self) -> float:
        value = self._single()
        while self._mark("^"):
            sign = self._mark("+", "-")
            other = self._single()
            value = value ** (-other if sign == "-" else other)
        return value

    def _single(self) -> float:
        number, name, mark = self._tokens[self._at]
        self._at += 1
        if number:
            return float(number.lower().replace("d", "e"))
        if mark == "(":
            return self._closed()
        if not name:
            raise ValueError(f"no number: {self._text}")
        if name in _FUNCTIONS and self._mark("("):
            return _FUNCTIONS[name](self._closed())
        return self._look(name, self._index())

    def _closed(self) -> float:
        value = self._sum()
        if not self._mark(")"):
            raise ValueError(f"no number: {self._text}")
        return value

    def _index(self) -> str:
        """The words between brackets behind a name, `1, BASE_KV`."""
        if not self._mark("("):
            return ""
        words: list[str] = []
        while not self._mark(")"):
            words.append("".join(self._tokens[self._at]))
            self._at += 1
        return "".join(words)
