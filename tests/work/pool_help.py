"""What the tests of warm workers share: orders for the functions in tests/data/calls, and a pool that is closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from batchtui.model import Json
from batchtui.work.calls.pool import Done, Order, Pool
from batchtui.work.programs.slots import Slots

FOLDER = Path(__file__).parents[1] / "data" / "calls"
MODULE = "functions_to_call"


def order(name: str, **options: Json) -> Order:
    """For a function of ours, or with another `function` and `path` for that."""
    name = f"{MODULE}:{name}"
    return replace(Order(name, (str(FOLDER),), chunk=False, group=name), **options)


def no_note(_: dict[str, Json]) -> None:
    return None


@asynccontextmanager
async def pool_in(folder: Path, workers: int = 1) -> AsyncIterator[Pool]:
    pool = Pool(lambda: Slots(folder), workers)
    try:
        yield pool
    finally:
        await pool.close()
    assert not Slots(folder).held(), "nothing may be left of a worker"


async def call(pool: Pool, function: str, _options: dict[str, Json] | None = None, **arguments: Json) -> Done:
    return await pool.do(order(function, **(_options or {})), arguments, no_note)
