"""All batches of a data folder: listed, found by name or beginning of an id, created, removed."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from batchtui.durable import make_folder, sync_folder
from batchtui.errors import BadInput, NotFound, StoreDamaged, nearest
from batchtui.store import home
from batchtui.store.files import digests
from batchtui.store.files.header import BatchHeader, write_header
from batchtui.store.files.header_changes import header_of
from batchtui.store.files.jobs import JobWriter
from batchtui.store.folder import BatchFolder
from batchtui.store.names import Names, fault_of
from batchtui.text import cell

_LEAST_OF_A_PROVIDER = 12
"""Characters of an id that a provider gives; what is shorter is looked for among ours alone."""
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


class Library:
    """The folder that holds `batches/`. Folders are made 0700, files 0600, whatever the umask."""

    def __init__(self, data_dir: Path, tell: Callable[[str], None] = lambda _: None) -> None:
        """`tell` hears, from any thread, what was changed that a person had set, and which of several batches is meant."""
        self.data_dir = data_dir
        self.batches_dir = data_dir / "batches"
        self._tell = tell

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

    def strange(self) -> list[str]:
        """Names of what lies among the batches and is no folder."""
        try:
            return sorted(
                entry.name
                for entry in os.scandir(self.batches_dir)
                if not entry.is_dir() and entry.name[0] != "."
            )
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
        """The batch that is meant, opened. Raises NotFound, StoreDamaged, BadInput where it is ambiguous."""
        return self.open(self.meant(reference))

    def meant(self, reference: str) -> str:
        """The id of a batch, also of one that cannot be opened: by its id, else by its name, else by the id's beginning,
        else by the id that its provider gave a submission of it.

        Raises NotFound, and BadInput where it is ambiguous.
        """
        ids = self.ids()
        if reference in ids:
            return reference
        names = self.names(ids)
        if reference and (named := names.meant(reference)):  # a whole name, whatever ids happen to begin with
            if named.told:
                self._tell(named.told)
            return named.id
        matches = {batch_id for batch_id in ids if reference and batch_id.startswith(reference)}
        if not matches and (sent := self._sent_as(reference)):
            return sent
        if not matches:
            hint = nearest(reference, [*ids, *names])
            raise NotFound(f'no batch "{reference}"{hint}; `batchtui list --all` shows them')
        if len(matches) > 1:
            raise BadInput(
                f'"{reference}" could be any of {", ".join(sorted(matches)[:8])}; give more of the id'
            )
        return matches.pop()

    def _sent_as(self, remote_id: str) -> str | None:
        """The newest batch with a submission of that id at its provider, which is told."""
        if len(remote_id) < _LEAST_OF_A_PROVIDER:
            return None
        for folder in self.folders():
            if isinstance(folder, BatchFolder):
                for record in folder.progress.submissions.values():
                    if record.remote_id == remote_id:
                        name = f"{cell(folder.header.name, 60)} ({folder.id})"
                        self._tell(
                            f"{cell(remote_id, 80)} is submission {record.id} of {name}, which is meant"
                        )
                        return folder.id
        return None

    def names(self, ids: Iterable[str] | None = None) -> Names:
        """What these batches are called, or all."""
        return Names(self._headers(self.ids() if ids is None else ids))

    def free_name(self, name: str) -> str:
        """That name, or the next one that no batch has."""
        return self.names().free(name)

    def refuse_name(self, name: str, batch_id: str) -> None:
        """Raises BadInput for what cannot be this batch's name, or already means another batch."""
        if fault := fault_of(name):
            raise BadInput(fault)
        ids = self.ids()
        names = self.names(ids)
        others = [one for one in names.bears(name) if one != batch_id]
        if others or (name in ids and name != batch_id):
            what = f"is the name of batch {others[0]}" if others else "is the id of another batch"
            raise BadInput(f'"{cell(name, 60)}" {what}; "{cell(names.free(f"{name}-2"), 70)}" is free')

    def _headers(self, ids: Iterable[str]) -> Iterator[BatchHeader]:
        """Those that can be read."""
        for batch_id in ids:
            with contextlib.suppress(StoreDamaged):
                yield header_of(self.path(batch_id))

    def draft(self) -> Draft:
        """A batch in the making, unseen by others until it is kept. Raises StoreFull, StoreDamaged."""
        self._make_folders()
        taken = set(self.ids())
        while (batch_id := _new_id()) in taken:
            pass
        return Draft(self, batch_id)

    def _make_folders(self) -> None:
        folders = (self.data_dir, self.batches_dir)
        before = [stat.S_IMODE(path.stat().st_mode) if path.is_dir() else 0o700 for path in folders]
        try:
            make_folder(self.batches_dir)
            for path in folders:
                path.chmod(0o700)
        except OSError as fault:
            raise StoreDamaged(
                f"{fault.filename}: cannot be made a folder of yours alone ({fault.strerror}); "
                "name another with --data-dir"
            ) from fault
        for path, mode in zip(folders, before, strict=True):
            if mode & 0o077:
                self._tell(f"{path}: was open to other users (mode {mode:04o}) and is yours alone now (0700)")

    @contextlib.contextmanager
    def hidden(self) -> Iterator[Path]:
        """A folder beside the batches that others do not see, for a batch that is taken in whole. Raises StoreDamaged."""
        self._make_folders()
        place = Path(tempfile.mkdtemp(prefix=".draft-", dir=self.batches_dir))
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

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
        self.digests: list[bytes] = []
        """Of each job what would be paid for; kept where there is one for every job."""

    def free_name(self, name: str) -> str:
        """A name for it that no other batch has."""
        return self._library.free_name(name)

    def keep(self, header: BatchHeader) -> BatchFolder:
        if self.jobs.count == len(self.digests) > 0:
            digests.write(self._path, self.digests)
        self.jobs.close()
        header.home = home.settle(self._path)
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
