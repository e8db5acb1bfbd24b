"""What each store did, told in a second place: a store that was set back is behind what stands here.

One small file a batch in the user's state folder, append-only, a line for each submission before it is made. Without
it nothing is known, and nothing is held back.
"""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

from batchtui.config.paths import state_dir
from batchtui.errors import BatchtuiError
from batchtui.store.disk.lines import AppendFile, read_slices


@dataclass(slots=True)
class Told:
    """`mark` is of the store that was the last to begin driving; `seqs` are where its journal stood at what it did."""

    mark: str | None = None
    seqs: list[int] = field(default_factory=list)


def read(batch_id: str) -> Told:
    """Lines that make no sense are passed over."""
    told = Told()
    with contextlib.suppress(OSError):
        for _, lines in read_slices(_path(batch_id)):
            for line in lines:
                with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
                    entry = json.loads(line)
                    mark, seq = entry["mark"], entry["seq"]
                    if mark != told.mark:
                        told = Told(str(mark))
                    told.seqs.append(int(seq))
    return told


class Tally:
    """The writing side. A state folder that cannot be written is none: what is sent never waits for it."""

    def __init__(self, batch_id: str) -> None:
        self._batch_id = batch_id
        self._file: AppendFile | None = None
        self._lock = threading.Lock()

    def note(self, mark: str, seq: int) -> None:
        """Blocks until it is on the disk."""
        with self._lock, contextlib.suppress(OSError, BatchtuiError):
            if self._file is None:
                path = _path(self._batch_id)
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._file = AppendFile(path)
                self._file.cut_torn_tail()
            self._file.append(json.dumps({"mark": mark, "seq": seq}).encode() + b"\n")
            self._file.sync()

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


def _path(batch_id: str) -> Path:
    return state_dir() / "sent" / f"{batch_id}.jsonl"
