"""A folder as a source: one row a file."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from batchtui.model import Json, Problem, Row
from batchtui.sources.faults import BadSource
from batchtui.sources.source import Rows
from batchtui.text import cell

COLUMNS = ["id", "path", "name", "stem", "suffix", "size", "text"]
TEXT_LIMIT = 1024 * 1024
"""Bytes up to which a file's text stands in its row."""


def folder_files(folder: Path, name: str) -> list[Path]:
    """Entries by name; hidden ones and folders are left out. Raises BadSource where it cannot be listed."""
    try:
        entries = [
            entry for entry in folder.iterdir() if not entry.name.startswith(".") and not entry.is_dir()
        ]
    except OSError as fault:
        raise BadSource(f"cannot be listed: {fault.strerror}", file=name) from None
    return sorted(entries, key=lambda entry: entry.name)


def folder_rows(folder: Path, name: str, *, with_text: bool, inside: Path | None) -> Rows:
    """`id` is the stem, or the whole name where two stems are equal to a disk that ignores case.

    `path` is absolute; `text` is there for UTF-8 files of at most TEXT_LIMIT bytes, if asked for. With `inside`,
    a link that leads out of it is refused.
    """
    files = folder_files(folder, name)
    stems = Counter(file.stem.casefold() for file in files)
    for number, file in enumerate(files, 1):
        shown = os.path.join(name, file.name)
        try:
            if inside is not None and not file.resolve().is_relative_to(inside.resolve()):
                yield Problem(file=shown, row=number, message=f"leads out of {cell(inside)}")
                continue
            if not file.is_file():
                yield Problem(file=shown, row=number, message="not a regular file; left out", fatal=False)
                continue
            values: dict[str, Json] = {
                "id": file.stem if stems[file.stem.casefold()] == 1 else file.name,
                "path": os.path.abspath(file),
                "name": file.name,
                "stem": file.stem,
                "suffix": file.suffix,
                "size": file.stat().st_size,
            }
            if with_text and values["size"] <= TEXT_LIMIT:
                text = _text(file)
                if text is not None:
                    values["text"] = text
        except OSError as fault:
            yield Problem(file=shown, row=number, message=f"cannot be read: {fault.strerror}")
            continue
        yield Row(number, None, values)


def _text(file: Path) -> str | None:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
