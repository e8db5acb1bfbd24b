"""Whether `[keys]` names keys that a keyboard has, each for one action."""

from __future__ import annotations

from batchtui.errors import nearest
from batchtui.text import cell

_MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
_NAMED = frozenset(
    {"enter", "escape", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown"}
    | {"up", "down", "left", "right"}
    | {f"f{number}" for number in range(1, 25)}
)
_RENAMED = {
    "slash": "/", "backslash": "\\", "minus": "-", "plus": "+", "underscore": "_", "at": "@", "hyphen": "-",
}  # fmt: skip


def key_warnings(keys: dict[str, str]) -> list[tuple[str, str]]:
    """(action, message) for every key that does not exist or stands for two actions. A value may be `a,b`."""
    found: list[tuple[str, str]] = []
    taken: dict[str, str] = {}
    for action, value in keys.items():
        for key in [part.strip() for part in value.split(",")] if value != "," else [","]:
            if not is_key(key):
                near = nearest(key.rpartition("+")[2], _NAMED)
                found.append((action, f'unknown key "{cell(key, 40)}"{near}; the action keeps its own'))
            elif (other := taken.setdefault(key, action)) != action:
                found.append((action, f'"{cell(key, 40)}" is the key of "{cell(other, 40)}" already'))
    return found


def is_key(key: str) -> bool:
    """`q`, `Q`, `?`, `ctrl+s`, `f5`, `question_mark`."""
    *modifiers, last = key.split("+") if key != "+" else ["+"]
    if not set(modifiers) <= _MODIFIERS:
        return False
    if len(last) == 1:
        return last.isprintable() and not last.isspace()
    return last in _NAMED or last in _RENAMED or _has_unicode_name(last)


def _has_unicode_name(word: str) -> bool:
    import unicodedata

    try:
        return unicodedata.lookup(word.replace("_", " ")).isprintable()
    except KeyError:
        return False
