"""P18: `fsck` exits 0 on a sound store, and names what is wrong with any other by file and cause."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from batchtui.model import Json
from tests.promises.bad_state import CASES, NAMES
from tests.promises.inside import Inside
from tests.store.store_help import drive, make, plant, session

SOUND = {case["path"] for case in CASES if case["outcome"] in ("accept", "kept") and not case.get("aside")}
"""Of these a store may well hold what it does."""


def fsck(tmp_path: Path, batch_id: str) -> tuple[int, str]:
    (tmp_path / "config.toml").touch()
    ran = Inside(tmp_path, tmp_path / "config.toml")("fsck", batch_id)
    return ran.code, ran.out + ran.err


def told(tmp_path: Path, case: dict[str, Json]) -> tuple[int, str]:
    made = make(tmp_path)
    plant(made, case)
    return fsck(tmp_path, made.id)


def test_p18_a_good_store_is_sound(tmp_path: Path) -> None:
    made = make(tmp_path)
    writer = drive(made)
    session(writer)
    writer.close()
    code, words = fsck(tmp_path, made.id)
    assert (code, "sound" in words) == (0, True), words


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_p18_every_file_of_bad_state_is_told_by_its_cause(tmp_path: Path, case: dict[str, Json]) -> None:
    code, words = told(tmp_path, case)
    if case["path"] in SOUND:
        assert (code, "sound" in words) == (0, True), words
        return
    assert code == 1, words
    assert f"/{case['target'].rstrip('+')}" in words
    assert ("--repair" in words) != ("newer batchtui" in words), words


SAME = {"damaged-middle.jsonl": "bad-checksum.jsonl"}
"""Damaged in the same way, at another place."""


def test_p18_each_cause_has_words_of_its_own(tmp_path: Path) -> None:
    causes: dict[str, str] = {}
    for case in CASES:
        if case["path"] in SOUND:
            continue
        (tmp_path / case["path"]).mkdir()
        _, words = told(tmp_path / case["path"], case)
        first = words.splitlines()[0]
        cause = re.sub(r"^[a-z0-9]{6}/[^:]*(:\d+)?: ", "", first)
        assert causes.get(cause) == SAME.get(case["path"]), f"{case['path']}: {cause}"
        causes[cause] = case["path"]
