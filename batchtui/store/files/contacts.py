"""contacts.json: when each submission's backend last answered and is asked again, for processes that only look on.

Written by the driver while it follows submissions; never needed to go on.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

import msgspec

from batchtui import typed
from batchtui.store.disk.lines import StoreFull, replace_file

NAME = "contacts.json"
EVERY = 2.0
"""Seconds between two writes."""


class Contact(msgspec.Struct, array_like=True, frozen=True):
    """When the backend last answered about a submission, when it is asked again, and what stood in the way since.

    `since`: when that began; `kind`: what kind of trouble it is.
    """

    last: str | None = None
    following: str | None = None
    trouble: str | None = None
    since: str | None = None
    kind: str | None = None


Contacts = dict[int, Contact]
"""By submission."""


def read(folder: Path) -> Contacts:
    """Empty where nothing was written, or nothing that can be read."""
    try:
        found = json.loads((folder / NAME).read_bytes())
        return typed.convert(found, Contacts, str_keys=True)
    except (OSError, ValueError, RecursionError, msgspec.ValidationError):
        return {}


class ContactWriter:
    """Writes what changed, now and then."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: Contacts = {}
        self._next = 0.0

    def save(self, contacts: Contacts, *, now: bool = False) -> None:
        """`now`: though the last write was a moment ago. A disk that is full is no reason to complain."""
        if contacts == self._written or (time.monotonic() < self._next and not now):
            return
        self._next = time.monotonic() + EVERY
        self._written = dict(contacts)
        with contextlib.suppress(StoreFull):
            replace_file(self._folder / NAME, msgspec.json.encode(contacts), durable=False)
