"""`[sweep]` as lines of text: a key and its values a line, `input.blocks.0.layout.gcr = [0.3, 0.4]`."""

from __future__ import annotations

import json
import re

from batchtui.errors import BadInput
from batchtui.model import Json
from batchtui.toml_file import parse_toml

_KEY = re.compile(r"^[ \t]*([\w.*-]+)[ \t]*=", re.MULTILINE)
"""A key with dots is one key here, as `[sweep]` has it, with or without quotes."""
_BARE = re.compile(r"[\w.*-]+")


def read_sweep(text: str) -> dict[str, Json]:
    """Raises ValueError."""
    try:
        table = parse_toml(_KEY.sub(r'"\1" =', text), "sweep")
    except BadInput as fault:
        raise ValueError(
            f"expected lines such as max_tokens = [200, 500]; {str(fault).removeprefix('sweep: ')}"
        ) from None
    for key, values in table.items():
        if not isinstance(values, list) or not values:
            raise ValueError(f"{key}: expected a list of values, such as [1, 2]")
    return table


def show_sweep(value: Json) -> str | None:
    """The lines that `read_sweep` reads back; None for what is no sweep."""
    if not isinstance(value, dict) or not value:
        return None
    return "\n".join(_line(key, values) for key, values in value.items())


def _line(key: str, values: Json) -> str:
    return f"{key if _BARE.fullmatch(key) else json.dumps(key)} = {_inline(values)}"


def _inline(value: Json) -> str:
    """TOML on one line; texts and numbers are written as in JSON."""
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)} = {_inline(inner)}' for key, inner in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)
