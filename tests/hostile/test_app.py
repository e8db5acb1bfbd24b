"""A part of the hostile files by the app, chosen by a seed; `python -m tests.hostile` plays all of them."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.extras import reason
from tests.hostile.app import contents, look, opened, shows
from tests.hostile.command_line import needs_power
from tests.hostile.corpus import CASES, Case
from tests.hostile.place import Place
from tests.promises.damages import newer
from tests.store.store_help import make
from tests.tui.waiting import until

SEED = int(os.environ.get("BATCHTUI_HOSTILE_SEED", "10"))
PART = 6


def chosen() -> list[Case]:
    if names := os.environ.get("BATCHTUI_HOSTILE_CASES"):
        return [case for case in CASES if case.id in names.split()]
    return random.Random(SEED).sample(CASES, PART)


@pytest.mark.parametrize("case", chosen(), ids=lambda case: case.id)
async def test_case(case: Case, tmp_path: Path) -> None:
    if needs_power(case):
        pytest.skip(reason("power"))
    await look(case, Place.at(tmp_path))


async def test_a_batch_of_a_newer_version_is_shown_and_not_driven(tmp_path: Path) -> None:
    """Listed with its jobs beside the others, by an app that drives; the log says why it is left alone."""
    place = Place.at(tmp_path)
    made = make(place.data, remote=False)
    newer(made.path / "batch.json")
    before = contents(place)
    async with opened(place, worker=True) as (_, pilot):
        await until(pilot, lambda: shows(pilot, "invoices"))
        await until(pilot, lambda: shows(pilot, "1 damaged, see Log"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "job-0"))
        await pilot.press("4", "W")
        await until(pilot, lambda: shows(pilot, "newer batchtui (schema 99); update to drive it"))
    assert contents(place) == before
