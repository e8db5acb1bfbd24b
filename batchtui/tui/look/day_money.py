"""What all batches together have spent today and may still spend, where the configuration limits that."""

from __future__ import annotations

from pathlib import Path

from batchtui.amounts import NANO
from batchtui.errors import StoreDamaged
from batchtui.store.files.spend import SpendFile
from batchtui.tui.look import figures


class DayMoney:
    """Reads the ledger again only where it changed."""

    def __init__(self, data_dir: Path, limit: float | None) -> None:
        self._file, self._limit = SpendFile(data_dir), limit
        self._stamp: object = None
        self._committed = 0

    def words(self) -> str:
        """`$3.10 of $20.00, all batches`; empty without a limit."""
        if self._limit is None:
            return ""
        stamp = self._file.stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                ledger = self._file.read()
            except (StoreDamaged, OSError):
                return ""
            self._committed = ledger.spent_on(self._file.today) + ledger.claimed()
        return f"{figures.dollars(self._committed / NANO)} of {figures.dollars(self._limit)}, all batches"
