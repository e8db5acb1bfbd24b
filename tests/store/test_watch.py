"""What rests costs nothing, and whatever another process does to it is seen at the next look."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from batchtui.config import load_config
from batchtui.engine.shared.pool import Backends
from batchtui.engine.worker import Worker
from batchtui.store.disk import watch
from batchtui.store.disk.commit import Committer
from batchtui.store.disk.watch import ROUND, Watch
from batchtui.store.files import inbox
from batchtui.store.files.lock import DriveLock
from batchtui.store.library import Library
from batchtui.store.writer import BatchWriter
from batchtui.tui.models.link import FOLLOW_EVERY, Link
from tests.tui.samples import Sample

LONG_AGO = time.time() - 3600


def store(path: Path, count: int) -> Library:
    """Ended batches that nobody has touched for an hour."""
    library = Library(path)
    for n in range(count):
        sample = Sample(library, f"b{n:05}", f"batch {n}", ["1"], remote=False, age=9e6 + n)
        sample.finish(0, raw_response="ok")
        sample.end()
        sample.close()
    long_ago(library)
    return library


def long_ago(library: Library) -> None:
    for batch_id in library.ids():
        os.utime(library.path(batch_id), (LONG_AGO, LONG_AGO))
    os.utime(library.batches_dir, (LONG_AGO, LONG_AGO))


def asleep(library: Library) -> Watch:
    """A watch whose folders all rest, and which has a whole round before it."""
    watching = Watch(library.batches_dir, library.ids)
    for batch_id in watching.look()[1]:
        watching.rest(batch_id)
    return watching


def due(watching: Watch) -> set[str]:
    """The few whose turn it is left out."""
    with mock.patch.object(watch, "ROUND", 10**9), mock.patch.object(watching, "_rounds", iter(())):
        return set(watching.look()[1])


def test_what_rests_is_looked_at_in_turn_alone(tmp_path: Path) -> None:
    library = store(tmp_path, 2 * ROUND)
    watching = asleep(library)
    seen: list[str] = []
    for _ in range(ROUND + 1):
        there, due_now = watching.look()
        assert len(there) == 2 * ROUND
        assert len(due_now) <= 2
        seen += due_now
        for one in due_now:
            watching.rest(one)
    assert set(seen) == set(library.ids())


def a_wish(folder: Path) -> None:
    inbox.post(folder, inbox.Command(command="retry"))


def a_driver_that_begins(folder: Path) -> None:
    DriveLock(folder).take()


def a_driver_that_came_and_went(folder: Path) -> None:
    lock = DriveLock(folder)
    assert lock.take()
    lock.release()


@pytest.mark.parametrize("happens", [a_wish, a_driver_that_begins, a_driver_that_came_and_went])
def test_what_another_process_does_wakes_it(tmp_path: Path, happens: Callable[[Path], None]) -> None:
    library = store(tmp_path, 3)
    a_wish(library.path("b00001"))  # a file that is there already changes no folder by itself
    long_ago(library)
    watching = asleep(library)
    assert len(due(watching)) <= 1
    happens(library.path("b00001"))
    assert "b00001" in due(watching)
    watching.rest("b00001")
    assert "b00001" in due(watching), "it may change once more in what its disk takes for the same moment"


def test_batches_that_come_and_go_are_seen(tmp_path: Path) -> None:
    library = store(tmp_path, 2)
    watching = asleep(library)
    library.remove("b00000")
    Sample(library, "new1", "new", ["1"]).close()
    there, due_now = watching.look()
    assert set(there) == {"b00001", "new1"}
    assert "new1" in due_now


class Spy:
    """Counts the files that are opened or asked about below a folder."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._place = place
        self.touched: list[str] = []
        for module, name in ((os, "stat"), (os, "open"), (os, "scandir"), (io, "open")):
            self._listen(module, name, f"{place}/", monkeypatch)

    def batches(self) -> set[str]:
        """Those of which a file was touched."""
        return {Path(one).relative_to(self._place).parts[0] for one in self.touched}

    def _listen(self, module: object, name: str, below: str, monkeypatch: pytest.MonkeyPatch) -> None:
        real = getattr(module, name)

        def spied(path: object, *args: object, **more: object) -> object:
            if str(path).startswith(below):
                self.touched.append(str(path))
            return real(path, *args, **more)

        monkeypatch.setattr(module, name, spied)


def test_a_tick_of_the_worker_opens_no_file_of_batches_that_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = store(tmp_path, ROUND)
    worker = Worker(library, Backends(load_config(None)), drive_all=True)
    worker._supervise()
    spy = Spy(library.batches_dir, monkeypatch)
    worker._supervise()
    assert len(spy.batches()) <= 1, "the one whose turn it is"


def test_the_worker_reads_no_batch_again_that_the_screen_has_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = store(tmp_path, 3)
    link = Link(library)
    link.read()
    link.statuses()
    worker = Worker(library, Backends(load_config(None)), drive_all=True, known=link.folders())
    spy = Spy(library.batches_dir, monkeypatch)
    worker._supervise()
    assert worker.drain() == set()
    assert worker.folders() == link.folders()
    assert not [
        one for one in spy.touched if one.endswith(("jobs.jsonl", "results.jsonl", "checkpoint.json"))
    ]


def test_a_look_without_a_worker_opens_no_file_of_batches_that_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = Link(store(tmp_path, ROUND))
    link.read()
    link.statuses()
    for _ in range(FOLLOW_EVERY):
        link.drain()
    spy = Spy(link.library.batches_dir, monkeypatch)
    for _ in range(FOLLOW_EVERY):
        assert link.drain() == set()
    assert len(spy.batches()) <= 1, "the one whose turn it is"


def test_without_a_worker_what_others_write_is_seen_at_the_next_look(tmp_path: Path) -> None:
    library = store(tmp_path, 3)
    link = Link(library)
    link.read()
    link.statuses()
    for _ in range(2 * FOLLOW_EVERY):
        assert link.drain() == set()
    committer = Committer()
    BatchWriter(library.open("b00002"), committer, lambda _: None).close()
    committer.stop()
    assert set().union(*(link.drain() for _ in range(FOLLOW_EVERY))) == {"b00002"}
