"""Why submissions wait for their backend: what was answered in place of an answer, and since when.

It is no state and stays out of the journal: it stands in the batch's contacts, is told once to whoever follows the
batch, and is over with the next answer.
"""

from __future__ import annotations

import time

from batchtui.engine.shared.services import Level, Services
from batchtui.store.disk import clock
from batchtui.store.files.contacts import Contact
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

_TELL_SECONDS = 60.0
"""Other words of the same trouble are told no sooner than this."""


class Contacting:
    """What stands between one batch and its backends."""

    def __init__(self, folder: BatchFolder, services: Services) -> None:
        self._folder, self._services = folder, services
        self._told: dict[str, tuple[str, float, str]] = {}
        """By backend: what was told last, when, and since when there is trouble."""

    def asked(
        self, sub: int, backend: str, last: str | None, following: str, fault: Exception | None
    ) -> None:
        """A submission was asked for: its backend last answered then, and is asked again then."""
        contacts = self._folder.contacts
        before = contacts.get(sub)
        now = Contact(last, following)
        if fault is None and before and before.trouble:
            if before.last == last:  # what stood in the way still does
                now = Contact(last, following, before.trouble, before.since, before.kind)
            else:
                self.answered(backend)
        if fault is not None:
            words = cell(str(fault), 300)
            self._log("warning", f"submission {sub}: {words}; asking again")
            since = (before.since if before and before.trouble else None) or clock.now()
            now = Contact(last, following, words, since, getattr(fault, "kind", None) or "contact")
            self.failed(backend, words, last or since)
        contacts[sub] = now
        self._services.changed(self._folder.id)

    def held(self, sub: int, wait: float) -> None:
        """A submission is not sent for so many seconds, which whoever looks on sees pass."""
        before = self._folder.contacts.get(sub)
        following = clock.stamp(time.time() + wait)
        self._folder.contacts[sub] = Contact(before.last if before else None, following)

    def failed(self, backend: str, words: str, since: str | None = None) -> None:
        """Told once while it lasts, and again where other words come later."""
        words, known = cell(words, 300), self._told.get(backend)
        since = known[2] if known else since or clock.now()
        if known and (known[0] == words or time.monotonic() - known[1] < _TELL_SECONDS):
            return
        self._told[backend] = (words, time.monotonic(), since)
        text = f"{backend} has not answered as it should since {_moment(since)}: {words}; asked again until it does"
        self._log("warning", text, told=True)

    def answered(self, backend: str) -> None:
        """It is over."""
        if self._told.pop(backend, None):
            self._log("info", f"{backend} answers again", told=True)

    def _log(self, level: Level, text: str, *, told: bool = False) -> None:
        self._services.log(self._folder.id, level, text, told=told)


def _moment(stamp: str) -> str:
    return f"{stamp[11:19]} UTC" if len(stamp) > 19 else stamp
