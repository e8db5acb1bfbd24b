"""What the server was asked to create or to spend, in the order in which it did so."""

from __future__ import annotations

import msgspec


class Entry(msgspec.Struct):
    """One call. `answered` turns true once the reply was sent to a client that was still there."""

    seq: int
    kind: str
    op: str
    status: int
    token: str | None = None
    remote_id: str | None = None
    job_ids: list[str] = []
    answered: bool = False


class Ledger:
    OPS = frozenset({"chat", "create", "upload", "cancel"})
    """The calls that are written down."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(
        self, kind: str, op: str, status: int, token: str | None, remote_id: str | None, job_ids: list[str]
    ) -> Entry:
        """Writes a call down at the moment its work is done or refused.

        Jobs go by the client's own ids: what it put before them, the last 8 characters of its token, is left out.
        """
        if token:
            job_ids = [one.removeprefix(f"{token[-8:]}-") for one in job_ids]
        entry = Entry(len(self.entries) + 1, kind, op, status, token, remote_id, job_ids)
        self.entries.append(entry)
        return entry

    def lines(self, start: int = 0, count: int | None = None) -> bytes:
        """JSON Lines of `count` entries from `start`."""
        stop = None if count is None else start + count
        return b"".join(msgspec.json.encode(entry) + b"\n" for entry in self.entries[start:stop])
