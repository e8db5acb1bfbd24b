"""Why jobs of a batch failed, told once a cause, and not computed more often than it can be read."""

from __future__ import annotations

from collections.abc import Callable

from batchtui import outcome
from batchtui.results.reading.digest import ErrorGroup, digest
from batchtui.tui.models.link import Link

SECONDS = 3.0


class ErrorDigests:
    """Callable: the error groups of a batch, the largest first."""

    def __init__(self, link: Link, now: Callable[[], float]) -> None:
        self._link, self._now = link, now
        self._known: dict[str, tuple[float, int, list[ErrorGroup]]] = {}

    def __call__(self, batch_id: str) -> list[ErrorGroup]:
        folder, status = self._link.folder(batch_id), self._link.status(batch_id)
        if folder is None or status is None or not outcome.unsuccessful(status):
            return []
        at, seq, groups = self._known.get(batch_id, (-SECONDS, -1, []))
        if seq != folder.progress.seq and abs(self._now() - at) >= SECONDS:
            groups = digest(folder)
            self._known[batch_id] = (self._now(), folder.progress.seq, groups)
        return groups
