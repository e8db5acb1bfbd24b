"""No space: the first sign is a short write. Files end at whole lines, and work goes on once there is space."""

from __future__ import annotations

import errno
import itertools
import os
from pathlib import Path

import pytest

from batchtui.model import JobState, Outcome
from batchtui.store.disk.lines import AppendFile, StoreFull, replace_file
from batchtui.store.files.lock import is_held
from batchtui.store.folder import BatchFolder
from tests.store.store_help import again, drive, finished, make, picture, python, session

SHORT = """
import resource, signal, sys
from pathlib import Path
from batchtui.store.disk.lines import AppendFile, StoreFull
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, limit = Path(sys.argv[1]), int(sys.argv[2])
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
file = AppendFile(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
line, kept = b"x" * 69 + b"\\n", 0
for attempt in range(3):
    try:
        while True:
            assert file.append(line) == kept
            kept += len(line)
    except StoreFull as fault:
        assert str(path) in str(fault) and "until there is space" in str(fault)
        assert path.stat().st_size == file.size == kept, (path.stat().st_size, kept)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert file.append(line) == kept
assert path.read_bytes() == line * (kept // 70 + 1)
print(kept)
"""
SESSION = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, "tests/store")
from tests.store.store_help import drive, session
from batchtui.store.folder import BatchFolder
from batchtui.store.disk.lines import StoreFull
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder, limit = BatchFolder(Path(sys.argv[1])), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
try:
    writer = drive(folder)
    try:
        session(writer)
    finally:
        print(folder.progress.seq, folder.progress.count("completed"))
        writer.close()
except StoreFull:
    print("full")
"""


@pytest.mark.parametrize("limit", [210, 234, 69, 1000])
def test_a_short_write_is_cut_back(tmp_path: Path, limit: int) -> None:
    out = finished(python(SHORT, tmp_path / "events.jsonl", limit))
    assert int(out) == limit // 70 * 70


def test_a_session_that_runs_out_of_space_anywhere(tmp_path: Path) -> None:
    """What was acknowledged is there; what was not left no half line; the next driver goes on."""
    limits = [*range(0, 6000, 450), 40, 120]
    for limit in limits:
        folder = make(tmp_path / str(limit))
        words = finished(python(SESSION, folder.path, limit)).split()
        assert words[-1] == "full" or limit > 4000, limit
        for name in ("events.jsonl", "results.jsonl"):
            file = folder.path / name
            data = file.read_bytes() if file.exists() else b""
            assert data == b"" or data.endswith(b"\n"), (limit, name)
        assert not is_held(folder.path)
        read = again(folder)
        if words[0] != "full":
            assert (read.progress.seq, read.progress.count(JobState.COMPLETED)) == (
                int(words[0]),
                int(words[1]),
            )
        assert not read.damage
        assert not list(folder.path.glob(".*.json.*"))
        writer = drive(read)
        session(writer)
        writer.close()
        assert again(folder).status().completed == 3


def _full_after(monkeypatch: pytest.MonkeyPatch, writes: int, code: int, short: bool) -> None:
    """Write number `writes` fails, after half of it where it is `short`."""
    real, count = os.write, iter(range(1, 1_000_000))

    def write(fd: int, data: bytes) -> int:
        number = next(count)
        if number == writes and short:
            return real(fd, data[: len(data) // 2])
        if writes <= number <= writes + 1:
            raise OSError(code, os.strerror(code))
        return real(fd, data)

    monkeypatch.setattr("batchtui.store.disk.lines.os.write", write)


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_every_write_of_a_session_may_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, short: bool
) -> None:
    failed = 0
    for number in itertools.count(1):
        folder = make(tmp_path / str(number))
        writer = drive(folder)
        with monkeypatch.context() as patch:
            _full_after(patch, number, code, short)
            try:
                session(writer)
                break
            except StoreFull:
                failed += 1
        before = picture(folder.progress)
        assert picture(again(folder).progress) == before
        writer.store(0, 9, "job-0", Outcome(state=JobState.COMPLETED, raw_response="space again"))
        writer.close()
        assert again(folder).result(0).raw_response == "space again"
    assert failed > 30
    writer.close()


def test_a_line_that_could_not_be_cut_back_is_cut_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AppendFile(tmp_path / "events.jsonl")
    file.append(b"one\n")
    with monkeypatch.context() as patch:
        _full_after(patch, 1, errno.EIO, short=True)
        patch.setattr("batchtui.store.disk.lines.os.ftruncate", _refuse)
        with pytest.raises(StoreFull):
            file.append(b"two and three\n")
    assert file.path.read_bytes() == b"one\ntwo and"
    assert file.append(b"two\n") == 4
    assert file.path.read_bytes() == b"one\ntwo\n"


def _refuse(*_: object) -> None:
    raise OSError(errno.EIO, "no")


def test_a_full_device() -> None:
    file = AppendFile(Path("/dev/full"))
    with pytest.raises(StoreFull, match="No space left"):
        file.append(b"x\n")
    file.close()


def test_a_replacement_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "batch.json"
    replace_file(path, b"old")
    monkeypatch.setattr("batchtui.store.disk.lines.os.fsync", _refuse)
    with pytest.raises(StoreFull):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_without_space_for_a_checkpoint_the_batch_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: BatchFolder = make(tmp_path)
    writer = drive(folder)
    session(writer)
    monkeypatch.setattr("batchtui.store.disk.lines.os.replace", _refuse)
    writer.checkpoint().result(10)
    writer.heartbeat()
    writer.close()
    assert not is_held(folder.path)
    assert again(folder).status().completed == 3


def test_a_disk_that_fails_at_the_end_still_frees_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    with monkeypatch.context() as patch:
        patch.setattr("batchtui.store.disk.lines.os.fsync", _refuse)
        with pytest.raises(OSError, match="no"):
            writer.close()
    assert not is_held(folder.path)
    drive(folder).close()
