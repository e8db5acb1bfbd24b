"""Folders 0700 and files 0600 whatever the umask; planted links and names do no harm."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from batchtui.errors import StoreDamaged
from batchtui.store.disk.lines import AppendFile, replace_file
from batchtui.store.library import Library
from tests.store.store_help import again, drive, finished, make, python

WHOLE = """
import os, sys
from pathlib import Path
sys.path.insert(0, "tests/store")
os.umask(int(sys.argv[2], 8))
from tests.store.store_help import drive, make, session
from batchtui.store.files import inbox
folder = make(Path(sys.argv[1]))
writer = drive(folder)
session(writer)
writer.checkpoint().result(10)
inbox.post(folder.path, inbox.Command(command="pause"))
with (folder.path / "events.jsonl").open("ab") as file:
    file.write(b"torn")
writer._journal.file.size += 4
writer._journal.file.cut_torn_tail()
writer.save_header()
for path in [folder.path.parent.parent, folder.path.parent, folder.path, *sorted(folder.path.iterdir())]:
    print(path.name, oct(path.stat().st_mode & 0o7777))
writer.close()
"""


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: str) -> None:
    lines = [line.split() for line in finished(python(WHOLE, tmp_path / "data", umask)).splitlines()]
    assert [mode for _, mode in lines[:3]] == ["0o700"] * 3
    files = dict(lines[3:])
    names = {"batch.json", "jobs.jsonl", "events.jsonl", "results.jsonl", "checkpoint.json", "inbox.jsonl"}
    assert names | {"lock", "holder.json"} <= set(files)
    assert [name for name in files if ".torn-" in name]
    assert set(files.values()) == {"0o600"}


def test_a_data_folder_that_is_open_to_all_is_closed_and_told_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "batches").mkdir(parents=True)
    for path in (data, data / "batches"):
        path.chmod(0o777)
    told: list[str] = []
    for _ in range(2):
        Library(data, told.append).draft().discard()
    assert {stat.S_IMODE(path.stat().st_mode) for path in (data, data / "batches")} == {0o700}
    assert [line.split(":")[0] for line in told] == [str(data), str(data / "batches")]
    assert "mode 0777" in told[0]


def test_of_a_new_data_folder_nothing_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    Library(tmp_path / "new" / "data", told.append).draft().discard()
    assert told == []


def test_a_data_folder_that_cannot_be_closed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(StoreDamaged, match="--data-dir"):
        Library(tmp_path / "data").draft()


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    with pytest.raises(StoreDamaged, match="data"):
        Library(tmp_path / "data").draft()
    assert (tmp_path / "data").read_text() == "mine"


@pytest.mark.parametrize("name", ["events.jsonl", "results.jsonl"])
def test_links_in_the_place_of_files_are_refused(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path / "data")
    victim = tmp_path / "victim"
    drive(folder).close()
    victim.write_bytes((folder.path / name).read_bytes())
    (folder.path / name).unlink()
    (folder.path / name).symlink_to(victim)
    before = victim.read_bytes()
    with pytest.raises(StoreDamaged, match=f"{name}: is a symbolic link"):
        drive(again(folder))
    assert victim.read_bytes() == before


@pytest.mark.parametrize("name", ["batch.json", "checkpoint.json", "holder.json", "events.jsonl.torn-4"])
def test_replacing_a_link_leaves_what_it_points_at(tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / name).symlink_to(victim)
    if ".torn-" in name:
        (tmp_path / "events.jsonl").write_bytes(b"one\nto")
        assert AppendFile(tmp_path / "events.jsonl").cut_torn_tail() == b"to"
        assert (tmp_path / f"{name}-2").read_bytes() == b"to"
    else:
        replace_file(tmp_path / name, b"new")
        assert (tmp_path / name).read_bytes() == b"new"
        assert not (tmp_path / name).is_symlink()
    assert victim.read_text() == "mine"


def test_temporary_names_cannot_be_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = os.replace

    def note(source: str, target: Path) -> None:
        seen.append(os.path.basename(source))
        assert os.stat(source).st_mode & 0o777 == 0o600
        real(source, target)

    monkeypatch.setattr("batchtui.store.disk.lines.os.replace", note)
    for _ in range(20):
        replace_file(tmp_path / "batch.json", b"x", durable=False)
    assert len(set(seen)) == 20
    assert all(name.startswith(".batch.json.") and len(name) >= 20 for name in seen)
    assert list(tmp_path.iterdir()) == [tmp_path / "batch.json"]
