"""All batches of a data folder: listed, found by name or beginning of an id, created, removed."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from batchtui.errors import BadInput, NotFound, StoreDamaged, nearest
from batchtui.store.folder import BatchFolder
from batchtui.store.header import BatchHeader, read_header, write_header
from batchtui.store.jobs import JobWriter
from batchtui.store.lines import sync_folder

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


class Library:
    """The folder that holds `batches/`. Folders are made 0700, files 0600, whatever the umask."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.batches_dir = data_dir / "batches"

    def ids(self) -> list[str]:
        """Ids of all batches, unordered; drafts in the making are left out."""
        try:
            return [
                entry.name
                for entry in os.scandir(self.batches_dir)
                if entry.is_dir() and entry.name[0] != "."
            ]
        except FileNotFoundError:
            return []

    def path(self, batch_id: str) -> Path:
        return self.batches_dir / batch_id

    def open(self, batch_id: str) -> BatchFolder:
        """Raises NotFound, StoreDamaged."""
        path = self.path(batch_id)
        if not batch_id or batch_id.startswith(".") or "/" in batch_id or not os.path.isdir(path):
            raise NotFound(f'no batch "{batch_id}"')
        if path.is_symlink():
            raise StoreDamaged(f"{path}: is a symbolic link; a batch is a folder of its own")
        return BatchFolder(path)

    def folders(self) -> Iterator[BatchFolder | StoreDamaged]:
        """Every batch, newest first; a damaged one as its error."""
        opened: list[tuple[str, BatchFolder | StoreDamaged]] = []
        for batch_id in self.ids():
            try:
                folder = self.open(batch_id)
                opened.append((folder.header.created, folder))
            except NotFound:
                continue  # removed meanwhile
            except StoreDamaged as fault:
                if os.path.isdir(self.path(batch_id)):
                    opened.append(("", fault))
        for _, item in sorted(opened, key=lambda pair: pair[0], reverse=True):
            yield item

    def find(self, reference: str) -> BatchFolder:
        """A batch by id, unambiguous beginning of an id, or name.

        Raises NotFound, StoreDamaged, BadInput where it is ambiguous.
        """
        ids = self.ids()
        if reference in ids:
            return self.open(reference)
        names: dict[str, list[str]] = {}
        for batch_id in ids:
            with contextlib.suppress(StoreDamaged):
                names.setdefault(read_header(self.path(batch_id)).name, []).append(batch_id)
        matches = {batch_id for batch_id in ids if reference and batch_id.startswith(reference)}
        matches.update(names.get(reference, ()) if reference else ())
        if not matches:
            hint = nearest(reference, [*ids, *names])
            raise NotFound(f'no batch "{reference}"{hint}; `batchtui list --all` shows them')
        if len(matches) > 1:
            raise BadInput(
                f'"{reference}" could be any of {", ".join(sorted(matches)[:8])}; give more of the id'
            )
        return self.open(matches.pop())

    def draft(self) -> Draft:
        """A batch in the making, unseen by others until it is kept. Raises StoreFull, StoreDamaged."""
        try:
            self.batches_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            for path in (self.data_dir, self.batches_dir):
                path.chmod(0o700)
        except OSError as fault:
            raise StoreDamaged(
                f"{fault.filename}: cannot be made a folder of yours alone ({fault.strerror}); "
                "name another with --data-dir"
            ) from fault
        taken = set(self.ids())
        while (batch_id := _new_id()) in taken:
            pass
        return Draft(self, batch_id)

    def remove(self, batch_id: str) -> None:
        """Delete the batch's folder, by way of a hidden name so that a cut deletion leaves nothing half."""
        hidden = self.batches_dir / f".removed-{batch_id}-{os.getpid()}"
        self.path(batch_id).rename(hidden)
        shutil.rmtree(hidden, ignore_errors=True)

    def sweep(self) -> None:
        """Delete drafts and removals that a crash left behind, once they are a day old."""
        import time

        with contextlib.suppress(OSError):
            for entry in os.scandir(self.batches_dir):
                if (
                    entry.name.startswith((".draft-", ".removed-"))
                    and time.time() - entry.stat().st_mtime > 86400
                ):
                    shutil.rmtree(entry.path, ignore_errors=True)


class Draft:
    """Collects the jobs of a new batch in a hidden folder; `keep` makes it a batch, `discard` leaves no trace."""

    def __init__(self, library: Library, batch_id: str) -> None:
        self.id = batch_id
        self._library = library
        self._path = library.batches_dir / f".draft-{batch_id}-{os.getpid()}"
        self._path.mkdir(mode=0o700)
        self._path.chmod(0o700)
        self.jobs = JobWriter(self._path / "jobs.jsonl")

    def keep(self, header: BatchHeader) -> BatchFolder:
        self.jobs.close()
        write_header(self._path, header)
        self._path.rename(self._library.path(self.id))
        sync_folder(self._library.batches_dir)
        return self._library.open(self.id)

    def discard(self) -> None:
        self.jobs.discard()
        shutil.rmtree(self._path, ignore_errors=True)


def _new_id() -> str:
    """Six characters that are not mistaken for one another when read aloud."""
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in os.urandom(6))
