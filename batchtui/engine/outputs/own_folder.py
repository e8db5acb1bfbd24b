"""A folder for the output of one batch alone, named like it, where its source implies one and nobody asked for another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from batchtui.engine.outputs.result_files import file_name
from batchtui.store.names import numbered


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
    """As batches are numbered: `sweep`, `sweep-2` and so on, without end."""
    return (parent / file_name(one) for one in numbered(name))
