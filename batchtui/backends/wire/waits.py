"""How long a server asks to wait: every form in which it is said, in headers, in the body and in words."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from batchtui.model import Json
from batchtui.text import cell

LONGEST_WAIT = 900.0
"""Seconds: a longer wish of the server is shown, but asked again after this."""
_SECONDS = {
    "n": 1e-9,
    "u": 1e-6,
    "µ": 1e-6,
    "ms": 1e-3,
    "mil": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
}
_UNIT = r"(ns|us|µs|ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])"
_PART = re.compile(rf"(\d{{1,12}}(?:\.\d{{1,12}})?)\s?{_UNIT}", re.I)
_DURATION = rf"\d{{1,12}}(?:\.\d{{1,12}})?\s?{_UNIT}"
_WHOLE = re.compile(rf"(?:{_PART.pattern}[\s,]*){{1,6}}", re.I)
_WORDS = re.compile(
    rf"\b(?:try(?:ing)?\s+(?:it\s+)?again|retry(?:ing)?|wait)(?:[\s:]+(?:in|after|for|at|least|about|another|it)\b)*[\s:]+"
    rf"((?:{_DURATION}[\s,]*){{1,6}})",
    re.I,
)
_POLICY = re.compile(r"\b(?:t|reset)=(\d{1,9})")
"""The moment of renewal in the one-line header `RateLimit`, in both drafts of it."""
_EPOCH = 1e9
"""A number this large is a moment, in Unix seconds, or in milliseconds from 1e12 on."""
_LOOKED_AT = 60
_Wish = tuple[float | None, str]


def wait_of(
    headers: Mapping[str, str], body: Json = None, words: str = "", *, limited: bool = False
) -> _Wish:
    """Seconds that the server asks to wait (None: no usable wish), and its own words for them.

    `limited`: it refuses for a rate, so that the renewal of a rate is what to wait for; other replies carry those
    headers too. What was meant for this very call wins over the renewal, which is of the whole allowance.
    """
    for value, scale in ((headers.get("retry-after-ms"), 1e-3), (headers.get("retry-after"), 1.0)):
        wish = _wish(value, scale)
        if wish[1]:
            return wish
    told = dict(_told(body))
    for key, scale in (
        ("retryafterms", 1e-3), ("retryafter", 1.0), ("retryafterseconds", 1.0), ("retrydelay", 1.0),
        ("estimatedtime", 1.0),
    ):  # fmt: skip
        wish = _wish(told.get(key), scale)
        if wish[1]:
            return wish
    if match := _WORDS.search(words[:4000]):
        wish = _wish(match[1].strip(" ,\n"), 1.0)
        if wish[1]:
            return wish
    return _renewal(headers, told) if limited else (None, "")


def _wish(value: Json, scale: float) -> _Wish:
    """Seconds and words of one value; no words where it asks for nothing or cannot be read."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None, ""
    text = str(value).strip()
    seconds = _seconds(text, scale)
    if seconds is None or seconds <= 0:
        return None, ""
    plain = _number(text)
    unit = "" if plain is None or plain >= _EPOCH else " ms" if scale < 1 else " s"
    return min(seconds, LONGEST_WAIT), cell(f"{text}{unit}", 40)


def _seconds(text: str, scale: float = 1.0) -> float | None:
    """From now on: a number, a duration (`6m0s`, `120ms`, `3 seconds`), or what is left until a date or a moment."""
    value = _number(text)
    if value is not None:
        if value < _EPOCH or scale < 1:
            return value * scale
        return (value / 1000 if value >= _EPOCH * 1000 else value) - time.time()
    if _WHOLE.fullmatch(text):
        return sum(float(amount) * _unit(unit) for amount, unit in _PART.findall(text))
    moment = _moment(text)
    return None if moment is None else moment - time.time()


def _unit(name: str) -> float:
    name = name.lower()
    return next(_SECONDS[key] for key in (name, name[:3], name[:1]) if key in _SECONDS)


def _moment(text: str) -> float | None:
    """An HTTP or ISO date; without a zone it is meant as UTC."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            date = read(text)
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _told(body: Json) -> Iterator[tuple[str, Json]]:
    """Keys (lower case, without marks) and values of an error body and what lies in it, the outermost first."""
    level: list[Json] = [body]
    left = _LOOKED_AT
    found: dict[str, Json] = {}
    for _ in range(5):
        inner: list[Json] = []
        for value in level[:left]:
            left -= 1
            for key, item in value.items() if isinstance(value, dict) else ():
                found.setdefault(re.sub(r"[-_]", "", key[:60]).lower(), item)
                inner.append(item)
            inner += value if isinstance(value, list) else ()
        level = [value for value in inner if isinstance(value, dict | list)]
    yield from found.items()


def _renewal(headers: Mapping[str, str], told: dict[str, Json]) -> _Wish:
    """When the allowance that is used up is renewed: the last of those with nothing left, where that is told."""
    used: list[_Wish] = []
    unknown: list[_Wish] = []
    left: list[_Wish] = []
    for name, value in headers.items():
        lower = name.lower()
        if "reset" in lower and ("ratelimit" in lower or "rate-limit" in lower):
            wish = _wish(value, 1.0)
            remaining = _number(headers.get(lower.replace("reset", "remaining"), "") or "")
            if wish[0] is not None:
                (unknown if remaining is None else used if remaining <= 0 else left).append(wish)
        elif lower == "ratelimit" and (match := _POLICY.search(value[:400])):
            unknown.append(_wish(match[1], 1.0))
    unknown += [
        _wish(value, 1.0)
        for key, value in told.items()
        if key.startswith(("xratelimitreset", "ratelimitreset"))
    ]
    for wishes in (used, unknown):
        if usable := [wish for wish in wishes if wish[0] is not None]:
            return max(usable, key=_length)
    return min(left, key=_length) if left else (None, "")


def _length(wish: _Wish) -> float:
    return wish[0] or 0.0
