"""The folder that the output of a batch will go to, before the batch is made: what lies there, or beside it."""

from __future__ import annotations

from pathlib import Path

from batchtui.engine.plan.compose.composition import Composition
from batchtui.errors import BatchtuiError
from batchtui.preflight import Preflight
from batchtui.results.scenarios.files import JOURNAL
from batchtui.results.scenarios.place import is_free, owner_of, relatives, source_of, task_words
from batchtui.store.library import Library
from batchtui.text import cell


class Target:
    """Of one batch that is planned."""

    def __init__(self, work: Composition, flight: Preflight, library: Library | None) -> None:
        self._asked = Path(flight.output) if flight.output and not work.own_folders else None
        self._library = library
        source = work.spec.source.file if work.spec.source else None
        self._source = source_of(source, work.base, work.spec.name)
        self.earlier: list[Path] = []
        """Folders in which an earlier batch may have solved the same scenarios."""
        if work.own_folders:
            tasks = task_words([work.template or work.implied], work.spec.sweep)
            self.earlier = relatives(work.own_folders, self._source, tasks)
        elif self._asked and (self._asked / JOURNAL).exists():
            self.earlier = [self._asked]

    def notice(self, *, tables: bool) -> str:
        """What becomes of the tables of another batch that lie in the folder asked for; empty where none do."""
        if self._asked is None or self._library is None or (owner := owner_of(self._asked)) is None:
            return ""
        whose = f"{cell(self._asked, 120)} holds the tables of batch {_named(owner, self._library)}"
        if tables and is_free(self._asked, self._source, self._library.batches_dir):
            return f"{whose}: they are written over, and its views show none then; another folder keeps both"
        return f"{whose}: what this one writes goes into a folder in it"


def _named(batch: str, library: Library) -> str:
    try:
        return f'"{cell(library.open(batch).header.name, 60)}" ({batch})'
    except BatchtuiError:
        return cell(batch, 20)
