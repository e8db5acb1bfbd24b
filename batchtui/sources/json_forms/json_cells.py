"""JSON that stands as text in a cell: read when it is asked for, by `| json` or by a key."""

from __future__ import annotations

from batchtui.model import Json
from batchtui.sources.json_forms.strict_json import NotJson, StrictDecoder
from batchtui.text import cell


def from_text(text: str) -> Json:
    """The value that the whole text is. Raises ValueError, which says where it is none."""
    plain = text.strip()
    try:
        value, end = StrictDecoder().decode(plain)
        if end != len(plain):
            raise NotJson("not JSON: more text after the value", end)
    except NotJson as fault:
        place = f" (character {fault.at + 1})" if fault.message.startswith("not JSON") else ""
        python = "; quotes must be double ones" if plain[:2] in ("{'", "['") else ""
        shown = f'"{cell(plain, 40)}" is ' if place else ""
        raise ValueError(f"{shown}{fault.message}{place}{python}") from None
    return value


def holds_json(text: str) -> bool:
    """Whether a text looks like an object or a list, well written or not."""
    return text.lstrip()[:1] in ("{", "[")
