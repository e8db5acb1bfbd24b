"""What a backend may say instead of an answer."""

from __future__ import annotations

from batchtui.model import Json, Outcome


class Refused(Exception):
    """Nothing was made, and asking again would not help: the request is wrong."""

    def __init__(self, message: str, kind: str = "refused", body: Json = None) -> None:
        super().__init__(message)
        self.message, self.kind, self.body = message, kind, body


class TryLater(Exception):
    """Nothing was made; ask again after `after` seconds (None: back off). Pauses the whole backend.

    `counts` says whether it uses up a retry: a rate limit does not, a refused connection does.
    """

    def __init__(
        self, message: str, after: float | None = None, *, kind: str = "rate_limit", counts: bool = False
    ) -> None:
        super().__init__(message)
        self.message, self.after, self.kind, self.counts = message, after, kind, counts


class Transient(Exception):
    """One attempt failed in a way that may pass (5xx, a cut connection). `maybe_done`: it may have been done and billed.

    `outcome` is kept as the job's where no further attempt is allowed.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "server",
        maybe_done: bool = False,
        after: float | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.kind, self.maybe_done, self.after = message, kind, maybe_done, after
        self.outcome = outcome


class Unsure(Exception):
    """A create that may have been carried out: it must be looked up, never repeated."""


class NeedsPerson(Exception):
    """Every job would meet this (a refused key, no money left): stop and ask. `kind` names the attention raised."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


class Forgotten(Exception):
    """The backend no longer knows this submission."""
