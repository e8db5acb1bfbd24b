"""Keys in what is shown: those that this process holds, letter for letter, and those of forms that nothing else has.

Names and ids are never taken for keys: a value counts where the config or a usual variable says that it is a key, or a
backend gave it for a sign-in; a form where its provider publishes it, in its whole length. What is stored and exported
stays as it came.

What a key looks like is said here alone, in three degrees. `mask` takes only what is surely one, since it changes what
people read. `may_hold_key` takes more, for a warning that changes nothing. `mask_refusal` takes most: a provider that
refuses a key says a part of it back.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable

MASK = "•••key•••"
SHORTEST = 12
"""Characters below which a value is no key: it would black out parts of words."""
REACH = 300
"""Characters that a text is looked at beyond where it is cut, so that no half of a key is left at the end."""

_SIGNS = (
    "sk-", "AIza", "gsk_", "xai-", "hf_", "tgp_v1_", "AKIA", "ASIA",
    "github_pat_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_",
)  # fmt: skip
_MIXED = r"(?=[0-9A-Z]*[a-z])(?=[0-9a-z]*[A-Z])"
_FORMS = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"sk-ant-[a-z]{3,6}\d\d-[A-Za-z0-9_-]{80,}"
    r"|sk-(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{40,}"
    rf"|sk-{_MIXED}(?=[A-Za-z]*\d)[A-Za-z0-9]{{40,}}"
    r"|AIza[A-Za-z0-9_-]{35}"
    rf"|gsk_{_MIXED}[A-Za-z0-9]{{52}}"
    rf"|xai-{_MIXED}[A-Za-z0-9]{{60,}}"
    rf"|hf_{_MIXED}[A-Za-z0-9]{{34}}"
    r"|tgp_v1_[A-Za-z0-9_-]{40,}"
    r"|A[KS]IA[A-Z2-7]{16}"
    rf"|gh[pousr]_{_MIXED}[A-Za-z0-9]{{36}}"
    r"|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"
    r")(?![A-Za-z0-9_-])",
    re.ASCII,
)
_LIKELY_SIGNS = ("sk-", "AKIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "AIza")
_LIKELY = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|AIza[0-9A-Za-z_-]{35})"
)
_SAID_BACK = re.compile(r"\b(?:sk|gsk|pk|rk|xai)[-_][A-Za-z0-9_\-]{6,}|(?i:bearer)\s+[A-Za-z0-9._\-]{8,}")
DOTS = "•••"
"""Stands where something stood that may have been a key, or a part of one."""
_known: tuple[str, ...] = ()
_in_json: tuple[str, ...] = ()
"""The same as they are written in JSON."""
_waiting: list[Callable[[], Iterable[str]]] = []


def know(*values: str) -> None:
    """These are keys. Short ones, and addresses, are left out."""
    global _known, _in_json
    new = {value for value in values if len(value) >= SHORTEST and "://" not in value}
    if not new <= set(_known):
        _known = tuple(
            sorted({*_known, *new}, key=len, reverse=True)
        )  # the longest first: one may begin another
        _in_json = tuple(json.dumps(value)[1:-1] for value in _known)


def ask_later(values: Callable[[], Iterable[str]]) -> None:
    """Keys that are only looked for when something is shown. What goes wrong then is told elsewhere."""
    _waiting.append(values)


def mask(text: str) -> str:
    """The text with MASK in the place of every key."""
    _ask()
    for value in _known:
        if value in text:
            text = text.replace(value, MASK)
    return _FORMS.sub(MASK, text) if any(sign in text for sign in _SIGNS) else text


def may_hold_key(text: str) -> bool:
    """Whether something in it looks like a key: for a word to whoever brought it."""
    if any(sign in text for sign in _LIKELY_SIGNS) and _LIKELY.search(text):
        return True
    return any(sign in text for sign in _SIGNS) and _FORMS.search(text) is not None


def mask_refusal(words: str) -> str:
    """A provider's words about a call that it refused, with DOTS for all that might be of a key."""
    return _SAID_BACK.sub(DOTS, words)


def holds_key(line: bytes) -> bool:
    """Whether a line of JSON does, which is ASCII."""
    _ask()
    text = line.decode("ascii", "replace")
    if any(value in text for value in _in_json):
        return True
    return any(sign in text for sign in _SIGNS) and _FORMS.search(text) is not None


def _ask() -> None:
    while _waiting:
        with contextlib.suppress(Exception):
            know(*_waiting.pop()())
