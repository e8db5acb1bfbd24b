"""P7: an fsync that failed is never tried again as if all were well: what it may have lost is read, compared, written anew."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from batchtui.model import JobState, Outcome
from batchtui.store.disk.commit import Committer
from batchtui.store.disk.lines import AppendFile
from batchtui.store.folder import BatchFolder
from batchtui.store.writer import BatchWriter
from tests.store.forgetful_disk import ForgetfulDisk
from tests.store.store_help import again, make

RUNS, SHARE, JOBS = 100, 0.1, 6


@pytest.mark.parametrize("tenth", range(10))
def test_p7_what_a_commit_says_is_on_the_disk_though_one_fsync_in_ten_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tenth: int
) -> None:
    failures = 0
    for run in range(RUNS // 10):
        with monkeypatch.context() as patch:
            folder = make(tmp_path / str(run), JOBS)
            disk = ForgetfulDisk(patch, SHARE, seed=100 * tenth + run)
            committer = Committer(lambda _: None)
            writer = opened(folder.path, committer)
            for n in range(JOBS):
                writer.store(n, 1, f"job-{n}", Outcome(state=JobState.COMPLETED, raw_response=f"answer {n}"))
                committed(committer, writer)
                for name in ("results.jsonl", "events.jsonl"):
                    path = folder.path / name
                    assert disk.bytes_of(path) == path.read_bytes()
            closed(writer)
            committer.stop()
            failures += disk.failures
        read = again(folder)
        assert not read.damage
        assert [read.result(n).raw_response for n in range(JOBS)] == [f"answer {n}" for n in range(JOBS)]
    assert failures > 5


def opened(path: Path, committer: Committer) -> BatchWriter:
    """Whoever drives comes back as often as the disk refuses."""
    while True:
        try:
            return BatchWriter(BatchFolder(path), committer, lambda _: None)
        except OSError:
            continue


def committed(committer: Committer, writer: BatchWriter) -> None:
    """Until it is said to be on the disk."""
    while True:
        try:
            committer.now(writer._results, writer._journal.file).result(60)
        except OSError:
            continue
        return


def closed(writer: BatchWriter) -> None:
    with contextlib.suppress(OSError):
        writer.close()


def test_p7_what_is_read_again_and_is_another_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AppendFile(tmp_path / "results.jsonl")
    file.append(b"one\n")
    file.sync()
    file.append(b"two\n")
    with monkeypatch.context() as patch:
        ForgetfulDisk(patch, 1.0, seed=1)
        os.pwrite(file.fileno(), b"", 0)
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(OSError, match="no"):
            file.sync()
    with file.path.open("r+b") as other:
        other.seek(4)
        other.write(b"zwo")
    with pytest.raises(OSError, match="not there any more"):
        file.sync()
    with file.path.open("r+b") as other:
        other.seek(4)
        other.write(b"two")
    file.sync()
    assert file.path.read_bytes() == b"one\ntwo\n"


def refuse(fd: int) -> None:
    raise OSError(5, "no")
