"""Rooms hold at most fifteen names, so that one sees what is there, and files at most 400 lines, so that one reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMES, LINES, LONG = 15, 400, 300

LARGER = {
    "batchtui": "the rooms themselves, and the nouns and errors that plug-ins import by these names",
    "batchtui/backends": "one name a kind, beside the contract that plug-ins import by these names",
    "batchtui/manual": "one page a subject; `batchtui help` and the app list them",
}
"""Rooms with more names, and why."""

LONGER = {
    "batchtui/model.py": "every noun in one place, each with the words that the manual takes from it",
    "batchtui/api/batch.py": "one class; half of it are docstrings that the manual shows",
    "batchtui/store/fold/progress.py": "the whole fold over a journal, one method an event",
    "batchtui/api/run.py": "one class; half of it are docstrings that the manual shows",
}
"""Files with more lines, and why."""

ROOMS = sorted(path.parent for path in (ROOT / "batchtui").rglob("__init__.py"))


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _names(room: Path) -> list[str]:
    left_out = ("__init__.py", "__init__.pyi", "__main__.py", "__pycache__", "py.typed")
    return sorted(path.name for path in room.iterdir() if path.name not in left_out)


def _lines() -> dict[str, int]:
    return {
        _named(path): len(path.read_text("utf-8").splitlines()) for path in (ROOT / "batchtui").rglob("*.py")
    }


@pytest.mark.parametrize("room", ROOMS, ids=_named)
def test_a_room_has_at_most_fifteen_names(room: Path) -> None:
    """Too many: give some of them a room that says what they share."""
    assert len(_names(room)) <= NAMES or _named(room) in LARGER, _names(room)


def test_exceptions_are_exceptions() -> None:
    assert [name for name in LARGER if len(_names(ROOT / name)) <= NAMES] == []
    lines = _lines()
    assert [name for name in LONGER if lines[name] <= LINES] == []


def test_every_room_says_what_is_in_it() -> None:
    for room in ROOMS:
        first = (room / "__init__.py").read_text("utf-8")
        assert first.startswith('"""'), room


def test_a_file_has_at_most_400_lines(record_property: Callable[[str, object], None]) -> None:
    """Too long: split it by subject. Those above 300 go into the report, as what to look at next."""
    lines = _lines()
    record_property(
        "long", ", ".join(f"{name} {count}" for name, count in sorted(lines.items()) if count > LONG)
    )
    assert {name: count for name, count in lines.items() if count > LINES and name not in LONGER} == {}


if __name__ == "__main__":
    for name, count in sorted(_lines().items(), key=lambda one: -one[1]):
        if count > LONG:
            print(f"{count:4} {name}")
