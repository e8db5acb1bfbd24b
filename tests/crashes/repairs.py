"""A damaged batch whose repair is killed: mended by the next one, with every answer there and nothing sent anew."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

from tests.crashes.laboratory import Laboratory
from tests.crashes.shape import Shape
from tests.crashes.shapes import SHAPES
from tests.crashes.trial import Trial, Verdict

POINTS = ("repair.before", "repair.after")
PINNED = "jobs.jsonl"
"""By this file itself, not by its name, a store is known from its copies: it is put back as the same file."""


class Snapshot:
    """The files of a batch as they are now, to be put back as they were."""

    def __init__(self, folder: Path, aside: Path) -> None:
        self._folder, self._aside = folder, aside
        os.link(folder / PINNED, aside)
        self._files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def put_back(self) -> None:
        for path in self._folder.iterdir():
            if path.is_file():
                path.unlink()
        os.link(self._aside, self._folder / PINNED)
        for name, data in self._files.items():
            path = self._folder / name
            path.write_bytes(data)
            path.chmod(0o600)


def _flip(name: str, share: float) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[int(len(data) * share)] ^= 1
        (folder / name).write_bytes(data)

    return damage


def _cut(name: str, share: float) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        os.truncate(folder / name, int((folder / name).stat().st_size * share))

    return damage


def _all(*damages: Callable[[Path], None]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for one in damages:
            one(folder)

    return damage


DAMAGES: dict[str, Callable[[Path], None]] = {
    "answers cut off": _cut("results.jsonl", 0.4),
    "an answer changed": _flip("results.jsonl", 0.5),
    "a row changed": _flip(PINNED, 0.5),
    "the header and an answer changed": _all(_flip("batch.json", 0.4), _flip("results.jsonl", 0.7)),
}


def killed_repairs(
    room: Laboratory, seed: str, shape: Shape = SHAPES["openai"], *, most: int | None = None
) -> Verdict:
    """Every damage with its repair killed at each step it takes at the disk and on the wire, or at `most` early ones.

    And before and after all of it.
    """
    verdict = Verdict()
    with room.trial(shape, 1, "duration=100ms") as trial:
        verdict.add(trial.finish())
        folder = trial.store.path
        told, creates = sorted(trial.shape.told(trial.store)), trial.shape.creates(trial.folder, trial.server)
        for number, (name, damage) in enumerate(DAMAGES.items()):
            sound = Snapshot(folder, trial.folder / f"jobs-{number}")
            damage(folder)
            damaged = Snapshot(folder, trial.folder / f"damaged-{number}")
            chance = random.Random(f"{seed}-{name}")
            steps = range(1, _steps(trial, damaged) + 1) if most is None else chance.sample(range(1, 40), 39)
            wanted = verdict.kills + len(POINTS) + (len(steps) if most is None else most)
            for point, nth in [(point, 1) for point in POINTS] + [("any", nth) for nth in steps]:
                if verdict.kills >= wanted:
                    break
                damaged.put_back()
                verdict.kills += _repair(trial, point, nth)
                _repair(trial)
                if words := _wrong(trial, told, creates, lost_rows=name == "a row changed"):
                    verdict.faults.append(f"{shape.name}, {name}, killed at {point} {nth}: {words}")
            sound.put_back()
    return verdict


def _steps(trial: Trial, damaged: Snapshot) -> int:
    """About how many steps a whole repair takes: found by halving, since only a kill tells that one was taken."""
    low, high = 1, 256
    while low < high:
        damaged.put_back()
        middle = (low + high + 1) // 2
        if _repair(trial, "any", middle):
            low = middle
        else:
            high = middle - 1
    return low


def _repair(trial: Trial, point: str = "", nth: int = 1) -> bool:
    """Whether the repair was killed where it passed that point for the `nth` time; no point: it is let be."""
    life = trial.nursery.begin(["fsck", trial.store_id, "--repair"], trial.env, point, nth)
    life.wait()
    return life.killed


def _wrong(trial: Trial, told: list[object], creates: int, *, lost_rows: bool) -> str:
    life = trial.command("fsck")
    if life.code:
        return f"fsck exits {life.code}: {life.out.read_text()[-600:]}"
    store = trial.store
    if follows := store.status().follows:
        return f"it only follows: {follows}"
    if trial.shape.creates(trial.folder, trial.server) != creates:
        return "something was sent anew"
    now = sorted(trial.shape.told(store))
    if lost_rows:
        ids = {one for one, _ in now}
        told = [one for one in told if one[0] in ids]  # type: ignore[index]
    return "" if now == told and len(now) == trial.shape.jobs else f"answers differ: {len(now)}"
