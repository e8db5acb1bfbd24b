"""All hostile strings at once, as names, ids, answers and errors, through the real app and the commands on a terminal."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from batchtui.model import JobState
from batchtui.store.library import Library
from batchtui.text import cell, clean
from tests.hostile.corpus import FORBIDDEN, STRINGS
from tests.hostile.place import Place
from tests.terminal.terminals import ESCAPE, Pty
from tests.terminal.test_outside_text import OURS, acts, shows
from tests.tui.samples import Sample

NAMES = list(STRINGS)
BATCH = "h0st1l"
SIZE = (150, 50)
MUST_NOT = [
    (name, part)
    for name, parts in FORBIDDEN.items()
    for part in parts
    if part not in (b"\x1b", b"\x07") and not OURS.fullmatch(part.decode("utf-8", "surrogateescape"))
]
"""Without what Textual itself writes; whether more of that is written than its own shows in what acts."""
DRAWN_OVER = {"hidden-hangul-filler"}
"""A wide letter with nothing to see: where it ends, terminals and libraries do not agree."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """One batch with a job a string, its id, answer, error and tags among them; the strings are batches' names as well."""
    library = Library(tmp_path_factory.mktemp("strings") / "data")
    texts = list(STRINGS.values())
    for number, text in enumerate(texts):
        Sample(library, f"n{number:05}", text or " ", [text or " "], backend="openai", age=90_000).close()
    sample = Sample(library, BATCH, "all", [f"{n}-{text}" for n, text in enumerate(texts)], backend="openai")
    sample.submit(0, len(texts), "batch_1")
    for number, text in enumerate(texts):
        failed = number % 3 == 1
        sample.finish(
            number, JobState.FAILED if failed else JobState.COMPLETED, raw_response=text, model=text, finish_reason=text,
            reasoning=text, note=text, error=text if failed else None, error_kind=text or "kind" if failed else None,
        )  # fmt: skip
        sample.record("note", sub=1, facts={"words": text})
        sample.record("poll", sub=1, state="processing", completed=number, failed=0, facts={"doing": text})
    sample.close()
    return library


def harmless(written: bytes) -> None:
    """Nothing but what Textual and our colours need."""
    assert acts(written) == set()
    assert not [(name, part) for name, part in MUST_NOT if part in written]
    assert b"Traceback" not in written


@pytest.mark.timeout(900)
def test_no_byte_of_any_acts_on_the_terminal(env: dict[str, str], library: Library) -> None:
    terminal = Pty(env | {"BATCHTUI_DATA_DIR": str(library.data_dir)}, "open", BATCH, size=SIZE)

    def press(*keys: bytes) -> None:
        for key in keys:
            terminal.press(key)
            terminal.settle()

    try:
        terminal.shown("0-")
        press(
            *(b"\x1b[6~",) * (len(NAMES) // 40 + 1), b"\x1b[H", b"\r"
        )  # the table page by page, the first result
        unseen = set()
        for number, (name, text) in enumerate(STRINGS.items()):
            press(*((b"2", b"3", b"1") if number % 5 == 0 else ()))
            if not shows(terminal, text, length=16, seconds=20.0):
                unseen.add(name)
            press(b"n")
        assert not unseen - DRAWN_OVER
        press(ESCAPE, b"t", b"W", b"\x1b[H", *(b"\x1b[6~",) * 12)  # the log
        press(b"1", ESCAPE, *(b"\x1b[6~",) * (len(NAMES) // 40 + 1))  # the list of batches
        harmless(terminal.written)
        press(b"q", b"\r")
        assert terminal.ended() == 0
        harmless(terminal.written)
    finally:
        terminal.close()


@pytest.mark.parametrize("form", ["table", "csv", "jsonl"])
def test_no_command_lets_a_byte_of_any_through(env: dict[str, str], library: Library, form: str) -> None:
    for command in (
        ["results", BATCH, "--format", form],
        *([["list"], ["errors", BATCH]] if form == "table" else ()),
    ):
        terminal = Pty(env | {"BATCHTUI_DATA_DIR": str(library.data_dir)}, *command, size=(200, 50))
        try:
            assert terminal.ended() in (0, 1)
            harmless(terminal.written)
            assert len(terminal.written) > 5000 or "errors" in command
        finally:
            terminal.close()


def test_files_hold_every_string_as_it_is_and_sheets_run_none(tmp_path: Path, library: Library) -> None:
    place = Place.at(tmp_path / "place")
    place.environment["BATCHTUI_DATA_DIR"] = str(library.data_dir)
    exact = place("results", BATCH, "--format", "jsonl").documents
    assert [row["raw_response"] for row in exact] == list(STRINGS.values())
    sheet = place("results", BATCH, "--format", "csv", "--fields", "raw_response").out
    for row in list(csv.reader(io.StringIO(sheet)))[1:]:
        text = "".join(row)
        assert text.lstrip(" \t\r\n")[:1] not in ("=", "@") or text.startswith("'"), text
    assert all(clean(cell(text)) == cell(text) for text in STRINGS.values())
