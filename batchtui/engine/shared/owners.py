"""Which backend each job of a batch belongs to, where rows may name one of their own."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from batchtui.store.folder import BatchFolder


class Owners:
    """Which backend each job of a batch belongs to."""

    def __init__(self, folder: BatchFolder) -> None:
        self._folder = folder
        self._names = folder.header.backends
        self._codes: array[int] | None = None

    def load(self) -> None:
        """Read every job's backend, once, where there are several."""
        if len(self._names) == 1 or self._codes is not None:
            return
        jobs, default = self._folder.jobs, self._folder.header.backend
        codes = {name: code for code, name in enumerate(self._names)}
        self._codes = array("H", (codes[jobs.record(n).backend or default] for n in range(len(jobs))))

    def forget(self) -> None:
        """There are more jobs: read their backends anew."""
        self._codes = None

    def of(self, name: str, numbers: Iterable[int]) -> list[int]:
        """Those of the jobs that run on this backend."""
        if len(self._names) == 1:
            return list(numbers) if name == self._names[0] else []
        self.load()
        assert self._codes is not None
        code, codes = self._names.index(name), self._codes
        return [n for n in numbers if codes[n] == code]
