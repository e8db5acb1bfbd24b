"""Every hostile file by the command line: what must come of it, in the words that must be told, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.extras import reason
from tests.hostile.command_line import needs_power, play
from tests.hostile.corpus import CASES, STRINGS, Case
from tests.hostile.place import Place


def test_the_corpus_is_whole() -> None:
    assert len(CASES) == 180
    assert len(STRINGS) == 175
    assert all(case.path.is_file() for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(case: Case, tmp_path: Path) -> None:
    if needs_power(case):
        pytest.skip(reason("power"))
    play(case, Place.at(tmp_path))
