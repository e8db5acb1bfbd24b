"""What is flushed, how, and what is said where the disk refuses."""

from __future__ import annotations

import errno
import fcntl
import os
import re
from pathlib import Path

import pytest

import batchtui
from batchtui import durable
from batchtui.cli.dispatch import dispatch
from batchtui.store import library

_OWN = {"durable.py", "work/slurm_runner/files.py"}
"""The second runs on the nodes of a cluster, and has nothing of ours but itself there."""


def refused(fd: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("knows", [True, False])
def test_a_mac_is_asked_to_empty_the_drives_cache_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knows: bool
) -> None:
    calls: list[str] = []

    def asked(fd: int, command: int) -> int:
        calls.append(f"fcntl {command}")
        if not knows:
            raise OSError(errno.ENOTSUP, "not here")
        return 0

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", asked)
    monkeypatch.setattr(os, "fsync", lambda fd: calls.append("fsync"))
    durable.sync_folder(tmp_path)
    assert calls == ["fcntl 51", *([] if knows else ["fsync"])]


def test_elsewhere_it_is_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.delattr(fcntl, "F_FULLFSYNC", raising=False)
    monkeypatch.setattr(os, "fsync", calls.append)
    durable.sync_folder(tmp_path)
    assert len(calls) == 1


def test_there_is_one_place_that_flushes() -> None:
    root = Path(batchtui.__file__).parent
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if re.search(r"\bfsync\(", path.read_text())
    }
    assert found == _OWN


def test_a_fault_names_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "flush", refused)
    with pytest.raises(OSError, match=re.escape(str(tmp_path))):
        durable.sync_folder(tmp_path)


def test_the_command_line_says_which_file_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BATCHTUI_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("BATCHTUI_CONFIG", str(tmp_path / "config.toml"))
    file = tmp_path / "one.toml"
    file.write_text('name = "one"\nbackend = "local"\n[job]\ncommand = ["true"]\n')

    def refusing(path: Path) -> None:
        monkeypatch.setattr(durable, "flush", refused)
        durable.sync_folder(path)

    monkeypatch.setattr(library, "sync_folder", refusing)
    assert dispatch(["run", str(file), "--trust", "--no-input"]) == 1
    err = capsys.readouterr().err
    assert (
        f"the disk refuses what is written: {tmp_path}/data/batches: cannot write (Input/output error)" in err
    )
    assert "`batchtui resume`" in err


def test_folders_that_are_made_are_ones_own_from_the_top(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        durable.make_folder(tmp_path / "a/b/c")
    finally:
        os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b", "a/b/c")] == [0o700] * 3
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        durable.make_folder(tmp_path / "file")
