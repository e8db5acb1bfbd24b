"""Ready batches with their rows: each folder here is one, and its batch file's first line says what it is."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from batchtui.errors import BadInput, nearest

HERE = "(this machine"


class Example(NamedTuple):
    """`run` is the file that `batchtui run` takes."""

    name: str
    about: str
    run: str

    @property
    def needs_key(self) -> bool:
        return HERE not in self.about


@cache
def examples() -> tuple[Example, ...]:
    """Every example: those that need no key and no extra first, then by name."""
    folders = sorted(
        (entry for entry in files(__package__).iterdir() if entry.is_dir()), key=lambda one: one.name
    )
    found = []
    for folder in folders:
        batch = folder / f"{folder.name}.toml"
        if batch.is_file():
            first = batch.read_text("utf-8").splitlines()[0]
            found.append(Example(folder.name, first.removeprefix("# "), batch.name))
    return tuple(sorted(found, key=lambda one: (one.needs_key, "extra" in one.about, one.name)))


def find(name: str) -> Example:
    """The example of that name. Raises BadInput, with the nearest."""
    names = [example.name for example in examples()]
    if name not in names:
        raise BadInput(f'there is no example "{name}"{nearest(name, names)}; `batchtui example` lists them')
    return examples()[names.index(name)]


def write(name: str, into: Path) -> list[Path]:
    """Write the example's files into a new folder of its name. Raises BadInput where it cannot."""
    find(name)
    folder = into / name
    try:
        folder.mkdir()
        written = []
        for entry in sorted((files(__package__) / name).iterdir(), key=lambda one: one.name):
            if entry.is_file():
                (folder / entry.name).write_bytes(entry.read_bytes())
                written.append(folder / entry.name)
    except FileExistsError:
        raise BadInput(f"{folder} is there already; name another place with --into") from None
    except OSError as fault:
        raise BadInput(
            f"{folder}: cannot be written ({fault.strerror}); name a folder that can be with --into"
        ) from None
    return written
