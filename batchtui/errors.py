"""What can go wrong, as sentences a user can act on; each knows its exit code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

from batchtui.exit_codes import Exit


class BatchtuiError(Exception):
    """A fault to show as one clear message: what happened, where, what to do next."""

    exit_code: ClassVar[int] = Exit.SOME_FAILED


class BadInput(BatchtuiError):
    """Usage or input that is refused before anything is sent."""

    exit_code = Exit.BAD_INPUT


class ConfigError(BatchtuiError):
    """The configuration is wrong, or a key is missing."""

    exit_code = Exit.NO_KEY


class KeyMissing(ConfigError):
    """The configuration is sound, but a key is not there: nothing can be sent, and all else can be told."""


class Unreachable(BatchtuiError):
    """A backend does not answer, or refuses us."""

    exit_code = Exit.UNREACHABLE


class LimitHit(BatchtuiError):
    """A limit on cost or time stopped the work."""

    exit_code = Exit.LIMIT


class NotFound(BatchtuiError):
    """No such batch, job or backend."""

    exit_code = Exit.NOT_FOUND


class StoreDamaged(BatchtuiError):
    """Files of a batch cannot be read as written; they are left as they are.

    `proves`: whether `fsck` tells more of it, which a message of its own does not say yet.
    """

    def __init__(self, message: str, *, proves: bool = False) -> None:
        super().__init__(message)
        self.proves = proves


class Locked(BatchtuiError):
    """Another process drives this batch."""


def near(word: str, known: Iterable[str]) -> str | None:
    """The one that a likely typo is meant to be."""
    match = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return match[0] if match else None


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` for a likely typo, else nothing."""
    meant = near(word, known)
    return f'; did you mean "{meant}"?' if meant else ""
