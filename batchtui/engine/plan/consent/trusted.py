"""What this user agreed to, and which batch files are the user's own: a small file in the app's data folder."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from batchtui.store.disk.lines import StoreFull, replace_file


class Trusted:
    """Hashes: of what a person was shown and agreed to, and of batch files that were made here."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "trusted.json"

    def _read(self) -> list[str]:
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return []
        return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []

    def __contains__(self, hash_: str) -> bool:
        return hash_ in self._read()

    def add(self, hash_: str) -> None:
        """Remember it; where that cannot be written down, it is asked again."""
        known = self._read()
        if hash_ in known:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_file(self._path, json.dumps([*known, hash_]).encode() + b"\n")
        except (OSError, StoreFull):
            return

    def own(self, path: Path) -> None:
        """Remember a batch file that was just written here, as it is now."""
        if hash_ := _file_hash(path):
            self.add(hash_)

    def is_own(self, path: Path) -> bool:
        """Whether the batch file was written here and is as it was then."""
        hash_ = _file_hash(path)
        return hash_ is not None and hash_ in self


def _file_hash(path: Path) -> str | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    place = os.fsencode(os.path.realpath(path))
    return hashlib.sha256(b"file\0" + place + b"\0" + data).hexdigest()
