"""A folder for the output of one batch alone, named like it, where its source implies one and nobody asked for another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from batchtui.engine.outputs.result_files import file_name


def free_folder(parent: Path, name: str) -> Path:
    """The folder that a batch of this name would get just now. Makes nothing."""
    return next(place for place in _places(parent, name) if not os.path.lexists(place))


def take_folder(parent: Path, name: str) -> Path:
    """Make the first folder of the batch's name, or the name with a number, that nothing has used yet.

    What another batch, a removed one too, or anybody else put there is never taken. Where none can be made it is the
    one that would be: why not is told when the batch writes there.
    """
    for place in _places(parent, name):
        try:
            place.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError:
            pass
        return place
    raise AssertionError("numbers do not end")


def _places(parent: Path, name: str) -> Iterator[Path]:
    """`sweep`, `sweep-2`, `sweep-3` and so on; of `sweep-4` itself, then `sweep-5`."""
    yield parent / file_name(name)
    stem, _, number = name.rpartition("-")
    stem, count = (stem, int(number)) if stem and number.isdecimal() and len(number) < 6 else (name, 1)
    while True:
        count += 1
        yield parent / file_name(f"{stem}-{count}")
