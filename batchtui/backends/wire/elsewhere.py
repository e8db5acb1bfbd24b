"""Whether what answers at an address is the service that was meant: said of a first call, such as a sign-in."""

from __future__ import annotations

from batchtui.backends.wire.reply import Reply

_NO_SUCH_PATH = frozenset({"not found", "method not allowed", "404 not found", "gone"})
"""What web servers and frameworks say of a path that they do not know, whatever stands behind it."""


def is_elsewhere(reply: Reply) -> bool:
    """Whether the address leads to no such service: a page, a redirect, or a path that nobody there knows.

    A 404 with words of its own is an answer: something that the call named is unknown.
    """
    if 300 <= reply.status < 400 or reply.status == 405 or _is_page(reply):
        return True
    return reply.status in (404, 410) and _says_nothing(reply)


def seen_of(reply: Reply) -> str:
    """What was answered in place of it, such as `404` or `200, a page of HTML`."""
    return f"{reply.status}, a page of HTML" if _is_page(reply) else str(reply.status)


def _is_page(reply: Reply) -> bool:
    good = reply.status < 500 and reply.status not in (401, 403, 429)  # those are said by pages too
    return good and reply.text.lstrip("\ufeff \t\r\n")[:1] == "<"


def _says_nothing(reply: Reply) -> bool:
    if not isinstance(reply.json, dict):
        return True
    said = [reply.json.get(key) for key in ("detail", "message", "error", "title", "reason")]
    words = [text.strip().rstrip(".").casefold() for text in said if isinstance(text, str)]
    return not any(isinstance(one, dict | list) for one in said) and all(
        text in _NO_SUCH_PATH for text in words
    )
