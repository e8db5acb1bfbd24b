"""What terminals paste when a file is dropped on them, read as the path it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.errors import BadInput
from batchtui.tui.screens.beginning.dropped import dropped_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my files").mkdir()
    (tmp_path / "my files" / "it's 100%20.csv").write_text("id\n1\n")
    (tmp_path / "cars.csv").write_text("id\n1\n")
    return tmp_path


@pytest.mark.parametrize(
    "typed",
    [
        "cars.csv",
        " cars.csv\n",
        "./cars.csv",
        "'cars.csv'",
        '"cars.csv"',
        "{folder}/cars.csv",
        "file://{folder}/cars.csv",
        "'file://{folder}/cars.csv'",
        "cars.csv\nother.csv\n",
        "cars.csv other.csv",
    ],
)
def test_a_plain_path(typed: str, folder: Path) -> None:
    assert dropped_path(typed.format(folder=folder), folder).samefile(folder / "cars.csv")


@pytest.mark.parametrize(
    "typed",
    [
        "my files/it's 100%20.csv",
        "my\\ files/it\\'s\\ 100%20.csv",
        '"my files/it\'s 100%20.csv"',
        "'my files/it'\\''s 100%20.csv'",
        "file://{folder}/my%20files/it's%20100%2520.csv",
        "file://localhost{folder}/my%20files/it%27s%20100%2520.csv",
    ],
)
def test_blanks_and_quotes(typed: str, folder: Path) -> None:
    found = dropped_path(typed.format(folder=folder), folder)
    assert found.samefile(folder / "my files" / "it's 100%20.csv")


def test_a_home_and_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert dropped_path("~/cars.csv", Path("/")) == folder / "cars.csv"
    assert dropped_path("my\\ files", folder).is_dir()


@pytest.mark.parametrize("typed", ["", "  \n", "a\0b", "x" * 5000, "'", "file://["])
def test_a_text_is_no_path(typed: str, folder: Path) -> None:
    with pytest.raises(BadInput):
        dropped_path(typed, folder)


def test_what_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"^gone\.csv: no such file; a relative path starts from /"):
        dropped_path("'gone.csv'", folder)
