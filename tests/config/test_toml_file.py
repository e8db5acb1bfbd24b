import os
import stat
import tomllib
from pathlib import Path

import pytest

from batchtui.errors import BadInput, ConfigError
from batchtui.toml_file import dump_toml, parse_toml, read_toml, write_toml


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nb = 2\na = 3", "f.toml: line 3, column 6: a stands twice in this table"),
        (
            "[x.y]\na = 1\n[x.y]",
            "f.toml: line 3, column 5: [x.y] stands twice; put its keys under one heading",
        ),
        ("[x]\n[x]", "f.toml: line 2, column 3: [x] stands twice; put its keys under one heading"),
        ("a = 1\nb = ", "f.toml: line 2, column 5: invalid value"),
        ('a = """x\ny', "f.toml: line 2, column 2: unterminated string"),
        ("a = " + "9" * 5000, "f.toml: a number has too many digits"),
        (".".join("a" * 300) + " = 1", "f.toml: lists or tables are nested too deep"),
    ],
)
def test_faults_have_their_place(text: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_toml(text, "f.toml")
    assert str(caught.value) == message


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.toml")
    for path, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "fifo.toml", "not a regular file"),
        (Path("/dev/zero"), "not a regular file"),
        (tmp_path / "none.toml", "no such file"),
    ):
        with pytest.raises(ConfigError, match=words):
            read_toml(path, ConfigError)


@pytest.mark.parametrize(
    "prompt", ["one\ntwo\n", "one\r\ntwo", 'quo"""te\\', "\x1b[31m é 漢 \U0001f600", " \n "]
)
def test_what_is_written_reads_back(prompt: str) -> None:
    assert tomllib.loads(dump_toml({"job": {"prompt": prompt}})) == {"job": {"prompt": prompt}}


def test_a_file_of_a_person_is_kept_once(tmp_path: Path) -> None:
    path, bak = tmp_path / "a.toml", tmp_path / "a.toml.bak"
    path.write_text("# mine\na=1\n")
    path.chmod(0o640)
    write_toml(path, {"a": 2}, keep_bak=True)
    assert bak.read_text() == "# mine\na=1\n"
    write_toml(path, {"a": 3}, keep_bak=True)
    assert bak.read_text() == "# mine\na=1\n"
    assert path.read_text() == "a = 3\n"
    assert {stat.S_IMODE(file.stat().st_mode) for file in (path, bak)} == {0o640}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.toml", "a.toml.bak"]


def test_a_symlink_stays_and_modes_hold(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles.toml", tmp_path / "config.toml"
    write_toml(real, {"a": 1}, mode=0o600)
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    link.symlink_to(real)
    write_toml(link, {"a": 2})
    assert link.is_symlink()
    assert read_toml(real) == {"a": 2}


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.toml"
    write_toml(path, {"a": 1})

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_toml(path, {"a": 2})
    assert [file.name for file in tmp_path.iterdir()] == ["a.toml"]
    assert read_toml(path) == {"a": 1}
