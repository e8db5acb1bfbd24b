"""What a table of TOML may hold, as its class says it: each field's type, default, and the docstring below it."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from batchtui.model import Json

WORDS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    dict: "table",
    list: "list",
}


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    default: str
    text: str
    struct: str
    """The class that has it first."""


def fields_of(struct: type[msgspec.Struct]) -> list[Field]:
    """Every field, inherited ones first, in the order of the source."""
    told = {name: (text, owner) for name, text, owner in _documented(struct)}
    hints = typing.get_type_hints(struct)
    return [
        Field(
            name,
            type_words(hints[name]),
            _default(info),
            told.get(name, ("", ""))[0],
            told.get(name, ("", ""))[1],
        )
        for name, info in ((info.name, info) for info in msgspec.structs.fields(struct))
    ]


def _documented(struct: type[msgspec.Struct]) -> Iterator[tuple[str, str, str]]:
    for owner in reversed(struct.__mro__):
        if not (isinstance(owner, type) and issubclass(owner, msgspec.Struct)) or owner is msgspec.Struct:
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
        assert isinstance(tree, ast.ClassDef)
        for here, below in zip(tree.body, [*tree.body[1:], ast.Pass()], strict=True):
            match here, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=text)):
                    yield name, " ".join(str(text).split()), owner.__name__


def type_words(hint: object) -> str:
    """In a user's words, without None."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(hint) if part is not types.NoneType]
        if len(parts) > 4:  # Json
            return "anything"
        return " or ".join(dict.fromkeys(map(type_words, parts)))
    if typing.get_origin(hint) is Literal:
        return ", ".join(f"`{value}`" for value in typing.get_args(hint))
    if typing.get_origin(hint) is list:
        return f"list of {_many(type_words(typing.get_args(hint)[0]))}"
    if typing.get_origin(hint) is dict:
        return "table"
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return "table"
    if hint is Json or hint is typing.Any:
        return "anything"
    return WORDS.get(hint, str(hint)) if isinstance(hint, type) else "anything"


def structs_in(hint: object) -> list[type[msgspec.Struct]]:
    """The tables of our own that a value of this type may be."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return [hint]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return [found for part in typing.get_args(hint) for found in structs_in(part)]
    return []


def _many(words: str) -> str:
    return {"text": "texts", "whole number": "whole numbers", "number": "numbers", "table": "tables"}.get(
        words, words
    )


def _default(info: msgspec.structs.FieldInfo) -> str:
    if info.default is msgspec.NODEFAULT:
        if info.default_factory is msgspec.NODEFAULT:
            return "needed"
        made = info.default_factory()
        return "" if isinstance(made, msgspec.Struct) or not made else f"`{_toml(made)}`"
    if info.default is None or info.default in ("", [], {}):
        return ""
    return f"`{_toml(info.default)}`"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value)
