"""Damage of every stored file: harmless or named, mended with all that raw/ or the provider still has, at no cost."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from tests.promises.damages import EIGHT, FILES, Damage
from tests.promises.inside import Inside
from tests.promises.stores import APIECE, JOBS, Stored
from tests.promises.whole import figure

CASES: list[tuple[str, Damage]] = [(file, damage) for file in FILES for damage in EIGHT]
PART = 8
"""Damages of each store that a run of the suite tries."""


@pytest.fixture(params=["ended", "half done"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stored]:
    pytest.importorskip("uvicorn", reason="needs the extra `demo`")
    half = request.param == "half done"
    with DemoServer(faults="duration=2s" if half else "duration=20ms") as server:
        (tmp_path / "made").mkdir()
        yield Stored(tmp_path / "made", server, half=half)


def test_every_damage_is_harmless_or_named_and_what_anybody_still_has_comes_home(
    stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    for file, damage in random.Random(7).sample(CASES, figure(PART, len(CASES))):
        with stored.begin(tmp_path / "case", monkeypatch) as (path, batchtui):
            if not (path / file).exists():
                continue
            whole = {job: text for job, text in batchtui.answers(stored.id).items() if text}
            damage(path / file)
            wrong = _wrong(stored, batchtui, whole)
            told += [f"{file} {damage.__name__}: {words}" for words in wrong]
    assert not told, "\n".join(told)


def _wrong(stored: Stored, batchtui: Inside, whole: dict[str, str]) -> Iterator[str]:
    """What does not hold of a damaged store."""
    before = stored.paid().total()
    found = batchtui("fsck", stored.id)
    if found.code not in (0, 1):
        yield f"fsck exits {found.code}: {found.err}"
    if found.code == 0 and batchtui.answers(stored.id).items() < whole.items():
        yield "answers are lost, and fsck says nothing of it"
    mended = batchtui("fsck", stored.id, "--repair")
    if mended.code not in (0, 1):
        yield f"fsck --repair exits {mended.code}: {mended.out}{mended.err}"
    if (again := batchtui("fsck", stored.id)).code:
        yield f"is not sound after its repair: {again.out}{again.err}"
    resumed = batchtui("resume", stored.id)
    have = {job for job, text in batchtui.answers(stored.id).items() if text}
    at_backend = 3 * APIECE if stored.half else JOBS
    wanted = {f"q{n}" for n in range(at_backend)}
    if wanted - have:
        yield f"{sorted(wanted - have)} did not come home: {mended.out}{mended.err}{resumed.out}{resumed.err}"
    if not whole.items() <= batchtui.answers(stored.id).items():
        yield "an answer is another one than before"
    if stored.paid().total() > before + (JOBS - at_backend):
        yield f"{stored.paid().total() - before} jobs were paid for anew"
