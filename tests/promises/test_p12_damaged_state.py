"""P12: a damaged store ends nothing, hides no other batch, and is told; what is damaged is left as it is."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from unittest import mock

import pytest

from batchtui.cli.reading import look
from batchtui.errors import StoreDamaged
from batchtui.model import Json
from batchtui.store.folder import BatchFolder, to_json
from batchtui.store.health.proof import prove
from batchtui.store.library import Library
from tests.promises.bad_state import CASES, NAMES, original
from tests.promises.damages import FILES, Damage, anywhere, empty, folder, gone, torn
from tests.promises.inside import Inside
from tests.promises.whole import figure
from tests.store.store_help import drive, make, plant, session


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_p12_a_file_of_bad_state_has_its_outcome(tmp_path: Path, case: dict[str, Json]) -> None:
    other, made = make(tmp_path, name="other"), make(tmp_path)
    path = plant(made, case)
    planted, outside = path.read_bytes(), sorted(tmp_path.parent.rglob("*escape*"))
    library = Library(tmp_path)
    assert {item.id for item in library.folders() if isinstance(item, BatchFolder)} >= {other.id}
    said = ""
    if case["outcome"] == "refused":
        with pytest.raises(StoreDamaged) as caught:
            library.open(made.id)
        said = str(caught.value)
    else:
        folder = library.open(made.id)
        status = folder.status(submissions=True)
        assert status.pending == case.get("pending", 6)
        if case["outcome"] == "read-only":
            with pytest.raises(StoreDamaged, match="only read") as caught:
                drive(folder)
            said = str(caught.value)
        else:
            assert not folder.damage
            assert folder.progress.fails[0] == case.get("fails", 0)
            writer = drive(folder)
            writer.save_header()
            writer.close()
            said = str(to_json(folder.status(submissions=True)))
    for words in case["mentions"]:
        assert words in said
    if case["outcome"] in ("refused", "read-only"):
        assert path.read_bytes() == planted
    if case["outcome"] == "kept":
        assert json.loads(path.read_bytes()).items() >= json.loads(original(case)).items()
    if case.get("aside"):
        (aside,) = made.path.glob("*.torn-*")
        assert planted.endswith(aside.read_bytes())
    if case.get("never"):
        assert case["never"] not in said + (made.path / "checkpoint.json").read_text()
    assert sorted(tmp_path.parent.rglob("*escape*")) == outside


def _read(folder: BatchFolder) -> tuple[list[Json], list[str]]:
    """All that can be read of a batch, and what it says of damage. Raises StoreDamaged."""
    folder.refresh()
    status = folder.status(submissions=True)
    rows = [folder.result(n) for n in range(len(folder.jobs))]
    told = list(folder.damage) + [row.error or "" for row in rows if row.error_kind == "damaged"]
    told += [row.note for row in rows if row.note and "lost" in row.note]
    if status.damaged:
        told.append(f"{status.damaged} results damaged")
    status.follows = None  # the copies that are damaged are told to be copies
    return [to_json(status), [to_json(row) for row in rows]], told


@pytest.mark.parametrize("damage", [torn, empty, gone, folder])
def test_p12_jobs_that_cannot_be_sent_any_more_are_told_of_a_live_batch(
    tmp_path: Path, damage: Damage
) -> None:
    made = make(tmp_path / "data")
    writer = drive(made)
    writer.close()
    damage(made.path / "jobs.jsonl")
    (tmp_path / "config.toml").touch()
    for command in (("status", made.id), ("list",)):
        for most in (look.JOBS_BYTES, 10):  # of a file too long to be read whole both ends are looked at
            with mock.patch.object(look, "JOBS_BYTES", most):
                ran = Inside(tmp_path / "data", tmp_path / "config.toml")(*command)
            assert ran.code == 1, (command, most)
            assert f"{made.path}/jobs.jsonl" in ran.err
            assert f"fsck {made.id} --repair" in ran.err


def test_p12_flips_and_cuts_anywhere_are_told_or_change_nothing(tmp_path: Path) -> None:
    other, made = make(tmp_path, name="other"), make(tmp_path)
    writer = drive(made)
    session(writer)
    writer.close()
    kept = tmp_path / "kept"
    shutil.copytree(made.path, kept)
    before, told = _read(BatchFolder(made.path))
    assert not told
    silent: list[str] = []
    chance = random.Random(12)
    for _ in range(figure(80, 300)):
        shutil.rmtree(made.path)
        shutil.copytree(kept, made.path)
        files = [name for name in FILES if (made.path / name).exists()]
        words = anywhere(chance, made.path / chance.choice(files))
        damaged = {path.name: path.read_bytes() for path in made.path.iterdir() if path.is_file()}
        found = {item.id for item in Library(tmp_path).folders() if isinstance(item, BatchFolder)}
        assert other.id in found, words
        try:
            now, told = _read(Library(tmp_path).open(made.id))
        except StoreDamaged as fault:
            now, told = [], [str(fault)]
        if now != before and not told and prove(made.path).sound:
            silent.append(words)
        assert {path.name: path.read_bytes() for path in made.path.iterdir() if path.is_file()} == damaged, (
            words
        )
    assert not silent
