"""What past batches tell of one that is silent, and when a backend drops what is not fetched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from batchtui.store.disk import clock
from batchtui.store.library import Library
from batchtui.tui.models.link import Link
from batchtui.tui.models.usual import UsualTimes
from tests.tui.samples import NOW, Sample, app_over
from tests.tui.waiting import screen_text, until

MINUTE, DAY = 60.0, 86400.0


def past(library: Library, name: str, minutes: float, model: str | None = None) -> None:
    one = Sample(library, name, name, ["a"], backend="anthropic", age=DAY, model=model)
    one.submit(0, 1, f"remote-{name}")
    one.clock.at += minutes * MINUTE
    one.finish(0, took=0)
    one.end()
    one.close()


def silent(library: Library, minutes: float, model: str | None = None) -> str:
    one = Sample(library, "now001", "now", ["a", "b"], backend="anthropic", age=minutes * MINUTE, model=model)
    one.submit(0, 2, "remote-now")
    one.close()
    link = Link(library)
    link.read()
    status = link.status("now001")
    assert status
    return UsualTimes(link, lambda: NOW).words(status)


@pytest.mark.parametrize(
    ("taken", "minutes", "words"),
    [
        ((), 12, "12 min"),
        ((35,), 12, "12 min, usually 35 min"),
        ((35,), 60, "1 h, usually 35 min"),
        ((35,), 90, "1 h 30 min, slow: usually 35 min"),
        ((20, 30, 35, 40, 70), 12, "12 min, usually 35 min, 9 of 10 within 1 h 10 min"),
        ((20, 30, 35, 40, 70), 80, "1 h 20 min, slow: usually 35 min"),
    ],
)
def test_what_is_usual_with_its_spread(
    tmp_path: Path, taken: Sequence[int], minutes: int, words: str
) -> None:
    library = Library(tmp_path / "data")
    for n, each in enumerate(taken):
        past(library, f"past{n:02}", each)
    assert silent(library, minutes) == words


def test_batches_of_the_same_model_count_first(tmp_path: Path) -> None:
    library = Library(tmp_path / "data")
    past(library, "slow01", 100, "opus")
    past(library, "fast01", 5, "haiku")
    past(library, "fast02", 5, "haiku")
    assert silent(library, 2, "opus") == "2 min, usually 1 h 40 min"


def waiting(library: Library, batch_id: str, left: float) -> None:
    one = Sample(library, batch_id, f"in {left:g} days", ["a"], backend="openai", age=3600)
    one.submit(0, 1, f"remote-{batch_id}")
    one.record("poll", sub=1, state="processing", completed=1, expires=clock.stamp(NOW + left * DAY))
    one.close()


async def test_a_column_tells_when_they_are_dropped_the_nearest_in_amber(tmp_path: Path) -> None:
    library = Library(tmp_path / "data")
    for batch_id, left in (("aaa001", 20.0), ("bbb001", 2.5), ("ccc001", -0.1)):
        waiting(library, batch_id, left)
    app = app_over(library)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: "EXPIRES" in screen_text(pilot))
        table = app.batches_screen().table
        told = {status.id: table._value("expires", status) for status in app.link.statuses()}
        assert {batch: words for batch, (words, _) in told.items()} == {
            "aaa001": "20d",
            "bbb001": "2d12h",
            "ccc001": "over",
        }
        assert told["bbb001"][1] != told["aaa001"][1]
        for _ in range(7):
            await pilot.press("s")
        await until(pilot, lambda: "EXPIRES▴" in screen_text(pilot))
        assert table.ids == ["ccc001", "bbb001", "aaa001"]


async def test_without_one_there_is_no_such_column(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: "Batches 7" in screen_text(pilot))
        assert "EXPIRES" not in screen_text(pilot)
