"""JSON as the standard means it: no NaN, no infinity, no key twice, no depth that breaks who reads it next."""

from __future__ import annotations

import json
from typing import NoReturn

from batchtui.model import Json
from batchtui.text import cell

DEPTH_LIMIT = 200
_WORDS = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false"}


class NotJson(ValueError):
    """`at` is the place in the text that is meant; `end` where the value ends, where that is known."""

    def __init__(self, message: str, at: int, end: int | None = None) -> None:
        super().__init__(message)
        self.message, self.at, self.end = message, at, end


class _Unfit(float):
    """A number JSON cannot carry, as it was written; its key is looked up once the value stands."""

    written: str


class StrictDecoder:
    """Decodes one value after another from a text. Not for use by several threads at once."""

    def __init__(self) -> None:
        self._repeated: str | None = None
        self._unfit = False
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_constant=self._constant, parse_float=self._float
        )

    def decode(self, text: str, at: int = 0) -> tuple[Json, int]:
        """The value that starts at `at`, and where it ends. Raises NotJson."""
        self._repeated, self._unfit = None, False
        try:
            value, end = self._decoder.raw_decode(text, at)
        except json.JSONDecodeError as fault:
            raise NotJson(f"not JSON: {fault.msg}", fault.pos) from None
        except RecursionError:
            self._too_deep(at, None)
        except ValueError:
            raise NotJson("a whole number of more than 4,300 digits", at) from None
        if self._repeated is not None:
            raise NotJson(f'key "{cell(self._repeated, 60)}" appears twice in one object', at, end)
        if text.count("[", at, end) + text.count("{", at, end) > DEPTH_LIMIT and deeper(value, DEPTH_LIMIT):
            self._too_deep(at, end)
        if self._unfit:
            path, written = _find_unfit(value, "") or ("", "NaN")
            where = f"{cell(path, 80)}: " if path else ""
            raise NotJson(f"{where}{cell(written, 40)} is no number that JSON can carry", at, end)
        return value, end

    def _too_deep(self, at: int, end: int | None) -> NoReturn:
        raise NotJson(f"nested more than {DEPTH_LIMIT} levels deep", at, end)

    def _object(self, pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        value = dict(pairs)
        if len(value) != len(pairs) and self._repeated is None:
            keys = [key for key, _ in pairs]
            self._repeated = next(key for key in keys if keys.count(key) > 1)
        return value

    def _constant(self, written: str) -> float:
        self._unfit = True
        number = _Unfit("nan")
        number.written = written
        return number

    def _float(self, written: str) -> float:
        number = float(written)
        return self._constant(written) if number in (float("inf"), float("-inf")) else number


def kind_of(value: Json) -> str:
    """The kind of a JSON value in words: `a list`, `null` …"""
    return "null" if value is None else _WORDS.get(type(value), "an object")


def deeper(value: Json, limit: int) -> bool:
    """Whether objects and lists stand more than `limit` levels in each other; a flat answer, no recursion."""
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _find_unfit(value: Json, path: str) -> tuple[str, str] | None:
    if isinstance(value, _Unfit):
        return path, value.written
    if isinstance(value, dict):
        inside = [(f"{path}.{key}" if path else key, inner) for key, inner in value.items()]
    elif isinstance(value, list):
        inside = [(f"{path}[{index}]", inner) for index, inner in enumerate(value)]
    else:
        return None
    return next((found for place, inner in inside if (found := _find_unfit(inner, place))), None)
