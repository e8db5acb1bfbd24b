"""Ways in which a stored file can be damaged, each a function of its path."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

from batchtui.store.disk import seals

Damage = Callable[[Path], object]

FILES = ("batch.json", "jobs.jsonl", "events.jsonl", "results.jsonl", "checkpoint.json", "inbox.jsonl")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def zeros(path: Path) -> None:
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : third + 64] = bytes(min(64, len(data) - third))
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def gone(path: Path) -> None:
    path.unlink()


def link(path: Path) -> None:
    target = path.with_name(f"elsewhere-{path.name}")
    path.rename(target)
    path.symlink_to(target)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def newer(path: Path) -> None:
    """As a later version writes it."""
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"schema": 99}))


def newer_lines(path: Path) -> None:
    """Its first line as a later version writes it."""
    first, _, rest = path.read_bytes().partition(b"\n")
    told = first.replace(b'"schema":1', b'"schema":99')
    assert told != first
    if seals.is_sealed(first):
        told = seals.seal(told[: told.rindex(b',"crc":')] + b"}").rstrip(b"\n")
    path.write_bytes(told + b"\n" + rest)


EIGHT: tuple[Damage, ...] = (flip, zeros, cut, torn, empty, gone, link, folder)


def anywhere(chance: random.Random, path: Path) -> str:
    """One bit turned, or the end cut off, at a place that chance chooses; what was done, in words."""
    data = bytearray(path.read_bytes())
    place = chance.randrange(len(data))
    if chance.random() < 0.5:
        bit = chance.randrange(8)
        data[place] ^= 1 << bit
        words = f"bit {bit} of byte {place} of {path.name} turned"
    else:
        data = data[:place]
        words = f"{path.name} cut at byte {place}"
    path.write_bytes(data)
    return words
