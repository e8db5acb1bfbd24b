"""What a backend may say instead of an answer."""

from __future__ import annotations

from batchtui.model import Json, Outcome

PAUSE_MOST = 60.0
"""Seconds: the longest pause between two tries, where nobody asks for a longer one."""

LOADING = "loading"
"""The kind of a TryLater whose server is there, and loads its model."""


class Refused(Exception):
    """Nothing was made, and asking again would not help: the request is wrong."""

    def __init__(self, message: str, kind: str = "refused", body: Json = None) -> None:
        super().__init__(message)
        self.message, self.kind, self.body = message, kind, body


class TryLater(Exception):
    """Nothing was made; ask again after `after` seconds (None: back off). Pauses the whole backend.

    `counts` says whether it uses up a retry: a rate limit does not, a refused connection does. `most` is the longest
    pause while it backs off.
    """

    def __init__(
        self,
        message: str,
        after: float | None = None,
        *,
        kind: str = "rate_limit",
        counts: bool = False,
        most: float = PAUSE_MOST,
    ) -> None:
        super().__init__(message)
        self.message, self.after, self.kind, self.counts = message, after, kind, counts
        self.most = most


class Transient(Exception):
    """One attempt failed in a way that may pass (5xx, a cut connection). `maybe_done`: it may have been done and billed.

    `outcome` is kept as the job's where no further attempt is allowed. `answered`: the backend is there and answered,
    but what it said cannot be understood.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "server",
        maybe_done: bool = False,
        after: float | None = None,
        outcome: Outcome | None = None,
        answered: bool = False,
    ) -> None:
        super().__init__(message)
        self.message, self.kind, self.maybe_done, self.after = message, kind, maybe_done, after
        self.outcome, self.answered = outcome, answered


class Unsure(Exception):
    """A create that may have been carried out: it must be looked up, never repeated.

    `after`: seconds that the backend asked to wait, for a create that follows once this one is surely not there.
    `answered`: the backend took it and answered, but with no id that it can be known by. Where no look-up shows it
    either it is sent once more and then never again, since every further one may be paid for.
    """

    def __init__(self, message: str, after: float | None = None, *, answered: bool = False) -> None:
        super().__init__(message)
        self.after, self.answered = after, answered


class NeedsPerson(Exception):
    """Every job would meet this (a refused key, no money left): stop and ask. `kind` names the attention raised."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


class Forgotten(Exception):
    """The backend no longer knows this submission."""
