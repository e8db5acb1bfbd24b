"""A bundle read as what it is, a file from elsewhere: nothing outside its own folder, no links, and every byte as told."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from batchtui.durable import sync_file
from batchtui.errors import BadInput
from batchtui.store.bundles import manifest as told
from batchtui.store.bundles.manifest import CHUNK, Manifest, Part
from batchtui.text import cell

_MANIFEST_BYTES = 256 * 1024 * 1024
_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED = 0x1
_FORMS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_FAULTS = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, LookupError, ValueError, OverflowError,
    RuntimeError, OSError,
)  # fmt: skip
"""What reading a damaged archive raises: a place outside of it is an invalid seek."""


def is_bundle(path: Path) -> bool:
    """Whether it begins as a bundle does."""
    try:
        with path.open("rb") as file:
            return file.read(4) in _MAGIC
    except OSError:
        return False


class Bundle:
    """An opened bundle; use as a context manager. Everything raises BadInput that names the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._told():
            self._archive = zipfile.ZipFile(path)
        try:
            with self._told():
                self.manifest = self._read_manifest()
                self._check_entries(self.manifest)
        except BaseException:
            self._archive.close()
            raise

    def __enter__(self) -> Bundle:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Faults of its content as one sentence that names it."""
        try:
            yield
        except BadInput as fault:
            raise BadInput(f"{cell(self._path)}: {fault}; nothing was taken in") from None
        except _FAULTS as fault:
            if isinstance(fault, OSError) and fault.errno not in (
                None,
                errno.EINVAL,
            ):  # the disk's, not the file's
                raise
            raise BadInput(
                f"{cell(self._path)}: is cut, damaged or no bundle ({cell(fault, 100)}); nothing was taken in"
            ) from None

    def _read_manifest(self) -> Manifest:
        try:
            entry = self._archive.getinfo(told.NAME)
        except KeyError:
            raise BadInput("is no bundle of batchtui: it has no manifest") from None
        if entry.file_size > _MANIFEST_BYTES:
            raise BadInput("its manifest is larger than one can be")
        with self._archive.open(entry) as file:
            return told.decode(file.read(_MANIFEST_BYTES))

    def _check_entries(self, manifest: Manifest) -> None:
        """What is in the file must be what the manifest names, as plain files of those sizes."""
        entries = self._archive.infolist()
        sizes = {part.name: part.size for part in manifest.parts}
        names = [entry.filename for entry in entries if entry.filename != told.NAME]
        if len(entries) != len(names) + 1 or len(set(names)) != len(names) or set(names) != sizes.keys():
            raise BadInput("it does not hold what its manifest names")
        for entry in entries:
            form = stat.S_IFMT(entry.external_attr >> 16)
            if entry.is_dir() or form not in (0, stat.S_IFREG):
                raise BadInput(f'"{cell(entry.filename, 60)}" is a link or no plain file')
            if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _FORMS:
                raise BadInput(f'"{cell(entry.filename, 60)}" is packed in a way that is not read here')
            if entry.filename != told.NAME and entry.file_size != sizes[entry.filename]:
                raise BadInput(f'"{cell(entry.filename, 60)}" is of another size than the manifest says')

    def unpack(self, place: Path) -> None:
        """Write every part below `place`, a new folder, and hold it against its checksum. Raises OSError too."""
        total = sum(part.size for part in self.manifest.parts)
        if (room := shutil.disk_usage(place.parent).free) < total:
            raise BadInput(f"{cell(self._path)}: takes {total:,} bytes, and the disk has {room:,} left")
        place.mkdir(mode=0o700)
        with self._told():
            for part in self.manifest.parts:
                self._unpack(part, place / part.name)

    def read(self, name: str) -> bytes:
        """One of its parts, held against its checksum; only for one that is small, or is in memory anyhow."""
        with self._told():
            part = next(one for one in self.manifest.parts if one.name == name)
            return b"".join(self._chunks(part))

    def _chunks(self, part: Part) -> Iterator[bytes]:
        digest, left = hashlib.sha256(), part.size
        with self._archive.open(part.name) as file:
            while left and (chunk := file.read(min(CHUNK, left))):
                digest.update(chunk)
                left -= len(chunk)
                yield chunk
        if left or digest.hexdigest() != part.sha256:
            raise BadInput(f'"{cell(part.name, 60)}" was cut or changed since the bundle was made')

    def _unpack(self, part: Part, target: Path) -> None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(target, flags, 0o600), "wb") as file:
            for chunk in self._chunks(part):
                file.write(chunk)
            file.flush()
            sync_file(file.fileno(), target)
