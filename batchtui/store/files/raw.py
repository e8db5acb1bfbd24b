"""raw/: what a backend said, word for word, written as it comes and named once it is whole."""

from __future__ import annotations

import os
from pathlib import Path

from batchtui.store.disk.lines import StoreFull


class RawFiles:
    """The files of one submission; made when something is kept, each in the place of an earlier one."""

    def __init__(self, folder: Path, submission: int) -> None:
        self._folder, self._submission = folder, submission
        self._open: dict[str, tuple[Path, int]] = {}

    def keep(self, name: str, chunk: bytes) -> None:
        """Append to the file of this name. Raises StoreFull."""
        try:
            fd, view = self._fd(name), memoryview(chunk)
            while view:
                view = view[os.write(fd, view) :]
        except OSError as fault:
            place = self._folder / f"{self._submission}-{name}"
            raise StoreFull(f"{place}: cannot write ({fault.strerror}); it is read again later") from fault

    def _fd(self, name: str) -> int:
        if name not in self._open:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            path = self._folder / f"{self._submission}-{name}"
            part = path.with_name(f"{path.name}.part")
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
            self._open[name] = (path, os.open(part, flags, 0o600))
        return self._open[name][1]

    def finish(self) -> None:
        """What was kept is all there is: give the files their names."""
        for path, _ in self._open.values():
            path.with_name(f"{path.name}.part").replace(path)

    def close(self) -> None:
        for _, fd in self._open.values():
            os.close(fd)
        self._open.clear()
