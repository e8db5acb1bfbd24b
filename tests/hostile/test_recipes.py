"""Cases too big or too special for a file, made here and played by the command line, and by the app where it is meant.

Held elsewhere: `disk-full-n` by tests/crashes and tests/store/test_disk_full.py, `data-dir-777` by
tests/cli/test_own_files.py, `stdin-ff` and `x10-mouse` by tests/tui/test_terminal.py, `paste-1mb` by
tests/tui/test_long_texts.py.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from batchtui.model import Json
from batchtui.text import MARKS_LIMIT
from tests.extras import require_program
from tests.hostile.app import opened
from tests.hostile.command_line import ASKED, RUN, results, row, set_up
from tests.hostile.place import Place
from tests.hostile.server import Odd
from tests.promises.whole import figure
from tests.store.store_help import make
from tests.tui.test_compose_screen import is_built, note, pane_text, title
from tests.tui.waiting import screen_text, until

CHECK = (*ASKED, "job.prompt={{ t }}")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place.at(tmp_path)
    set_up(place)
    return place


def answered(place: Place, answer: bytes) -> None:
    """A batch `t` of one job, whose answer stands in a file of results as these bytes."""
    (place.root / "rows.jsonl").write_text('{"id": "a", "t": "x"}\n')
    with Odd(output=answer, request_counts={"total": 1, "completed": 1, "failed": 0}) as server:
        set_up(place, server.url)
        place("run", "rows.jsonl", *CHECK, *RUN)


def test_a_line_of_ten_million_letters(place: Place) -> None:
    """The viewer has a test of its own, tests/tui/test_result_screen.py."""
    answered(place, row("a", "x" * 10_000_000))
    assert len(place("results", "t", "--format", "table").out) < 2000
    assert len(place("show", "t", "a").out) < 200_000


def test_a_letter_with_a_hundred_thousand_marks(place: Place) -> None:
    answered(place, row("a", "e" + "\u0301" * 100_000))
    assert place("results", "t", "--format", "table").out.count("\u0301") <= MARKS_LIMIT
    assert place("show", "t", "a").out.count("\u0301") <= 3 * MARKS_LIMIT


def test_a_hundred_thousand_nested_lists(place: Place) -> None:
    answered(place, b'{"custom_id": "a", "response": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n")
    [result] = results(place)
    assert (result["status"], result["error_kind"]) == ("failed", "bad_reply")
    assert "nested" in result["error"]


def test_a_source_that_inflates(place: Place) -> None:
    """50 MB from 49 KB: one row that is too long to be one, seen before it is held as a whole."""
    (place.root / "bomb.jsonl.gz").write_bytes(gzip.compress(b"0" * 50_000_000, 9))
    ran = place("check", "bomb.jsonl.gz", *CHECK)
    assert ran.code == 2
    assert "bomb.jsonl.gz" in ran.err


def test_an_archive_is_not_opened(place: Place) -> None:
    with zipfile.ZipFile(place.root / "bundle.zip", "w") as archive:
        archive.writestr("../../escape", "x")
    ran = place("import", "bundle.zip")
    assert ran.code == 2, ran
    assert "bundle.zip" in ran.err


def test_links_planted_in_the_data_folder(place: Place) -> None:
    """A temporary file that waits as a link to a victim, and a batch's folder that is a link."""
    folder, away = make(place.data, name="t"), place.top / "away"
    away.mkdir()
    victim = away / "victim"
    victim.write_text("mine")
    for name in (
        "batch.json.tmp",
        ".batch.json.",
        "checkpoint.json.tmp",
        "state.json.tmp",
        "holder.json.tmp",
    ):
        (folder.path / name).symlink_to(victim)
    assert place("tag", folder.id, "a").code == 0
    shutil.move(folder.path, away / folder.id)
    folder.path.symlink_to(away / folder.id)
    listed = place("list")
    assert listed.code == 1
    assert "symbolic link" in listed.err
    assert place("tag", folder.id, "b").code != 0
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("name", ["fifo.jsonl", "/dev/zero", "empty"])
def test_a_source_that_is_no_file(place: Place, name: str) -> None:
    """A folder is a source of its own, but not one without a file in it."""
    os.mkfifo(place.root / "fifo.jsonl")
    (place.root / "empty").mkdir()
    ran = place("check", name, *CHECK)
    assert ran.code == 2, ran
    assert name in ran.err


def test_a_source_that_may_not_be_read(place: Place) -> None:
    """As another user would: without the power to pass over modes."""
    require_program("setpriv", "util-linux")
    path = place.root / "rows.jsonl"
    path.write_text("{}\n")
    path.chmod(0)
    drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    ran = subprocess.run(
        [*drop, sys.executable, "-m", "batchtui", "check", "rows.jsonl", *CHECK],
        cwd=place.root, env=place.environment | {"PYTHONPATH": os.getcwd()}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if "setpriv:" in ran.stderr:
        pytest.skip("needs the right to give up rights")
    assert ran.returncode == 2, ran
    assert "rows.jsonl" in ran.stderr
    assert "ermission denied" in ran.stderr
    assert "Traceback" not in ran.stderr


async def test_a_source_that_changes_between_check_and_submit(place: Place) -> None:
    """Submitting reads it anew, asks about what it holds then, and sends nothing before the answer."""
    (place.root / "rows.jsonl").write_text('{"id": "a", "t": "x"}\n')
    (place.root / "batch.toml").write_text(
        'name = "t"\nbackend = "openai"\n[source]\nfile = "rows.jsonl"\n[job]\nmodel = "m"\nprompt = "{{ t }}"\n'
    )
    with Odd() as server:
        set_up(place, server.url)
        async with opened(place, new_from=place.root / "batch.toml") as (app, pilot):
            await until(pilot, lambda: is_built(app))
            await pilot.press("f5")
            await until(pilot, lambda: "ready to submit" in title(app))
            rows = [json.dumps({"id": f"j{n}", "t": "y"}) for n in range(7)]
            (place.root / "rows.jsonl").write_text("\n".join(rows) + "\n")
            await pilot.press("f9")
            await until(pilot, lambda: "7 jobs" in screen_text(pilot))
            await pilot.press("escape")
        assert not [call for call in server.calls if call.startswith("POST")]


@pytest.mark.parametrize(
    "text", ["x" * 10_000_000, [0] * 500_000], ids=["a line of ten million", "half a million values"]
)
async def test_a_huge_row_as_a_source_in_the_editor(place: Place, text: Json) -> None:
    """Scanned, previewed by its beginning and checked whole, with the row behind it."""
    rows = [{"id": "a", "t": text}, {"id": "b", "t": "y"}]
    (place.root / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (place.root / "batch.toml").write_text(
        'name = "t"\nbackend = "openai"\n[source]\nfile = "rows.jsonl"\n[job]\nmodel = "m"\nprompt = "{{ t }} !"\n'
    )
    async with opened(place, new_from=place.root / "batch.toml") as (app, pilot):
        await until(pilot, lambda: is_built(app))
        await until(pilot, lambda: "2 rows" in note(app, "source.file"))
        await until(pilot, lambda: "row 1 of 2" in title(app))
        assert len(pane_text(app)) < 100_000
        await pilot.press("f5")
        await until(pilot, lambda: "ready to submit" in title(app))
        assert len(pane_text(app)) < 100_000


ROWS = figure(100_000, 1_000_000)


async def test_a_million_rows_in_the_editor(place: Place) -> None:
    """Opened by its first rows; all are counted in the end, and keys are heard meanwhile."""
    with (place.root / "rows.jsonl").open("w") as file:
        file.writelines(f'{{"t": "{"x" * (n % 40)}"}}\n' for n in range(ROWS))
    (place.root / "batch.toml").write_text(
        'name = "t"\nbackend = "openai"\n[source]\nfile = "rows.jsonl"\n[job]\nmodel = "m"\nprompt = "{{ t }} !"\n'
    )
    async with opened(place, new_from=place.root / "batch.toml") as (app, pilot):
        await until(pilot, lambda: is_built(app))
        await until(pilot, lambda: "row 1 of " in title(app))
        await pilot.press("f8")
        await until(pilot, lambda: "row 2 of " in title(app))
        await until(pilot, lambda: f"JSONL, {ROWS:,} rows" in note(app, "source.file"), seconds=600)
        await until(pilot, lambda: f"row 2 of {ROWS:,}" in title(app))
