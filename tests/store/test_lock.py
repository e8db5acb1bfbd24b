"""One driver a batch: over processes, over kill -9, and the file stays."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from batchtui.errors import Locked, StoreDamaged
from batchtui.store.files.lock import DriveLock, holder, is_held
from tests.store.store_help import again, drive, finished, make, python

DRIVER = """
import sys
from pathlib import Path
from batchtui.store.disk.commit import Committer
from batchtui.store.folder import BatchFolder
from batchtui.store.writer import BatchWriter
writer = BatchWriter(BatchFolder(Path(sys.argv[1])), Committer(), lambda _: None)
print("drives", flush=True)
sys.stdin.read()
writer.close()
"""


def test_one_of_two_processes_drives(tmp_path: Path) -> None:
    folder = make(tmp_path)
    other = python(DRIVER, folder.path)
    assert other.stdout is not None
    assert other.stdout.readline() == "drives\n"
    with pytest.raises(Locked, match=folder.id):
        drive(folder)
    assert is_held(folder.path)
    assert (holder(folder.path) or "").startswith(f"pid {other.pid} on ")
    assert again(folder).status().driver == holder(folder.path)
    finished(other)
    assert holder(folder.path) is None
    drive(folder).close()


def test_it_is_free_after_kill_9(tmp_path: Path) -> None:
    folder = make(tmp_path)
    other = python(DRIVER, folder.path)
    assert other.stdout is not None
    assert other.stdout.readline() == "drives\n"
    inode = (folder.path / "lock").stat().st_ino
    (folder.path / ".checkpoint.json.k1ll3d").write_text("half")
    other.send_signal(signal.SIGKILL)
    other.communicate(timeout=60)
    assert (folder.path / "holder.json").exists()
    assert holder(folder.path) is None
    assert not is_held(folder.path)
    writer = drive(folder)
    assert not (folder.path / ".checkpoint.json.k1ll3d").exists()
    assert (holder(folder.path) or "").startswith(f"pid {os.getpid()} on ")
    writer.close()
    assert (folder.path / "lock").stat().st_ino == inode


def test_held_by_this_very_process(tmp_path: Path) -> None:
    lock = DriveLock(tmp_path)
    assert not is_held(tmp_path)
    assert lock.take()
    assert is_held(tmp_path)
    assert not DriveLock(tmp_path).take()
    assert is_held(tmp_path)
    lock.release()
    assert not is_held(tmp_path)
    assert (tmp_path / "lock").exists()
    assert DriveLock(tmp_path).take()


def test_a_child_does_not_inherit_it(tmp_path: Path) -> None:
    lock = DriveLock(tmp_path)
    lock.take()
    child = python("import sys; print('up', flush=True); sys.stdin.read()")
    assert child.stdout is not None
    child.stdout.readline()
    lock.release()
    assert not is_held(tmp_path)
    finished(child)


def test_since_stays_while_the_heart_beats(tmp_path: Path) -> None:
    lock = DriveLock(tmp_path)
    lock.take()
    first = json.loads((tmp_path / "holder.json").read_bytes())
    assert set(first) == {"host", "pid", "boot", "since", "heartbeat"}
    while (second := json.loads((tmp_path / "holder.json").read_bytes()))["heartbeat"] == first["heartbeat"]:
        lock.heartbeat()
    assert second["since"] == first["since"]
    lock.release()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"pid": "x", "host": 1}', '{"pid": Infinity, "host": "h"}', "[" * 100_000]
)
def test_a_holder_that_makes_no_sense(tmp_path: Path, text: str) -> None:
    lock = DriveLock(tmp_path)
    lock.take()
    (tmp_path / "holder.json").write_text(text)
    assert holder(tmp_path) == "another process"
    lock.release()


def test_a_lock_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "data")
    (folder.path / "lock").symlink_to(tmp_path / "victim")
    with pytest.raises(StoreDamaged, match="lock"):
        drive(folder)
    assert not (tmp_path / "victim").exists()


def test_a_driver_that_cannot_start_lets_go(tmp_path: Path) -> None:
    folder = make(tmp_path)
    (folder.path / "results.jsonl").mkdir()
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(StoreDamaged):
        drive(folder)
    assert not is_held(folder.path)
    assert len(os.listdir("/dev/fd")) == before
