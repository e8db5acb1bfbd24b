"""Plain values as the types that they are meant to be, from any thread.

msgspec learns a type when it first meets it, step by step. A second thread that uses the type meanwhile finds it half
learnt, and the whole process dies of a null read. So each is learnt here, by one thread at a time, before its first use.
"""

from __future__ import annotations

import threading
from typing import TypeVar

import msgspec

from batchtui.model import Json

T = TypeVar("T")
_learnt: set[object] = set()
_learning = threading.Lock()


def convert(value: Json, type_: type[T], *, strict: bool = True, str_keys: bool = False) -> T:
    """`value` as `type_`; with `str_keys` an object's keys may stand for numbers. Raises msgspec.ValidationError."""
    _learn(type_)
    return msgspec.convert(value, type_, strict=strict, str_keys=str_keys)


def decode(text: bytes, type_: type[T]) -> T:
    """JSON as `type_`. Raises msgspec.DecodeError (msgspec.ValidationError is one)."""
    _learn(type_)
    return msgspec.json.decode(text, type=type_)


def _learn(type_: object) -> None:
    if type_ not in _learnt:
        with _learning:
            msgspec.json.Decoder(type_)
            _learnt.add(type_)
