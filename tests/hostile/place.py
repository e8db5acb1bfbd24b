"""A place of its own for one case: config, data folder and files, and the command line over it within this process.

A whole process costs 0.3 s of processor time and a corpus has hundreds of cases, so most are played through `main`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from batchtui.cli.entry import main
from batchtui.errors import BatchtuiError
from batchtui.model import Json
from batchtui.store.folder import BatchFolder, to_json
from batchtui.store.library import Library
from batchtui.text import clean
from tests.cli.cli_help import Ran

OWN = ("data", "state", "runs")
"""The folders that the program may write to; `runs` is where scenarios write, beside their manifest."""
HANG_SECONDS = 15.0
"""Far more than any case takes; only what would never end is ended by it."""
Enough = Callable[[str], bool]
"""Whether what is told so far, on stderr and by the batches' status, is all that is waited for."""


@dataclass
class Place:
    """`root` is deep enough that a path which climbs out of it still lies where the test looks."""

    top: Path
    environment: dict[str, str]

    @classmethod
    def at(cls, top: Path, config: str = "") -> Place:
        place = cls(top, {})
        place.root.mkdir(parents=True)
        (place.root / "config.toml").write_text(config, encoding="utf-8")
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        place.environment = kept | {
            "HOME": str(place.root),
            "BATCHTUI_DATA_DIR": str(place.data),
            "BATCHTUI_CONFIG": str(place.root / "config.toml"),
            "BATCHTUI_STATE_DIR": str(place.root / "state"),
        }
        return place

    @property
    def root(self) -> Path:
        return self.top / "one/two/three"

    @property
    def data(self) -> Path:
        return self.root / "data"

    def __call__(self, *arguments: str, enough: Enough | None = None) -> Ran:
        """One command, interrupted once `enough` holds.

        It leaves no traceback, nothing that could act on a terminal, and no file but its own.
        """
        before = self.tree()
        with (
            _streams() as (out, err),
            mock.patch.dict(os.environ, self.environment, clear=True),
            contextlib.chdir(self.root),
            _interrupted(lambda: enough is not None and enough(self._told(err))),
        ):
            code = main(list(arguments))
        ran = Ran(code, out.getvalue().decode(), err.getvalue().decode())
        for text in (ran.out, ran.err):
            assert "Traceback" not in text, text
            assert "internal fault" not in text, text
        exact = "csv" in arguments  # no terminal: a file gets every letter as it is
        assert exact or clean(ran.out) == ran.out, repr(ran.out)
        assert clean(ran.err) == ran.err, repr(ran.err)
        assert self.tree() == before, "a file outside the data folder"
        return ran

    def _told(self, err: io.BytesIO) -> str:
        return err.getvalue().decode() + self.statuses()

    def statuses(self) -> str:
        """What `status` tells of every batch, as its files stand now."""
        told = []
        with contextlib.suppress(BatchtuiError, OSError):
            for folder in Library(self.data).folders():
                if isinstance(folder, BatchFolder):
                    told.append(json.dumps(to_json(folder.status(submissions=True)), ensure_ascii=False))
        return "\n".join(told)

    def tree(self) -> dict[str, Json]:
        """Every file that is not the program's own, as it stands."""
        found: dict[str, Json] = {}
        for folder, names, files in os.walk(self.top):
            if Path(folder) == self.root:
                names[:] = [name for name in names if name not in OWN]
            for name in (*names, *files):
                stat = os.lstat(os.path.join(folder, name))
                found[os.path.join(folder, name)] = (stat.st_mtime_ns if name in files else 0, stat.st_mode)
        return found


@contextlib.contextmanager
def _streams() -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    """Streams that keep every byte, and descriptor 1 back in its place whatever was done to it."""
    out, err, one = io.BytesIO(), io.BytesIO(), os.dup(1)
    writers = [io.TextIOWrapper(part, "utf-8", write_through=True) for part in (out, err)]
    try:
        with (
            contextlib.redirect_stdout(writers[0]),
            contextlib.redirect_stderr(writers[1]),
            mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(), "utf-8")),
        ):
            yield out, err
    finally:
        os.dup2(one, 1)
        os.close(one)
        for writer in writers:
            writer.detach()


@contextlib.contextmanager
def _interrupted(over: Callable[[], bool]) -> Iterator[None]:
    """As by Ctrl-C once it is over, and by an error where it never is."""
    done, hung = threading.Event(), threading.Event()

    def watch() -> None:
        end = time.monotonic() + HANG_SECONDS
        while not done.wait(0.05):
            if over() or time.monotonic() > end:
                if time.monotonic() > end:
                    hung.set()
                signal.pthread_kill(main_thread, signal.SIGINT)
                return

    def interrupt(_number: int, _frame: object) -> None:
        if not done.is_set():
            raise KeyboardInterrupt

    main_thread = threading.get_ident()
    before = signal.signal(signal.SIGINT, interrupt)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        signal.signal(signal.SIGINT, before)
    assert not hung.is_set(), "it hung"
