"""Words on their way out of the app: terminal clipboard, file, editor, pager."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

from batchtui.masking import mask
from batchtui.text import cell, clean

CLIPBOARD_BYTES = 74_994
"""Encoded bytes that common terminals take in one clipboard sequence."""
_NAME_BYTES = 120


def encoded_size(text: str) -> int:
    """Bytes that the clipboard sequence of this text carries."""
    return (len(encoded(text)) + 2) // 3 * 4


def encoded(text: str) -> bytes:
    """UTF-8; a lone half of an emoji, which has no such form, becomes a question mark."""
    return text.encode("utf-8", "replace")


def file_name(*parts: str, ending: str) -> str:
    """A safe file name of these words: percent-encoded, at most _NAME_BYTES before the ending, no hidden file."""
    words = "-".join(quote(encoded(part).decode(), safe="") for part in parts if part)
    return (words[:_NAME_BYTES].lstrip(".") or "result") + ending


def write_new(path: Path, text: str) -> str | None:
    """Write a file that is not there yet; what went wrong, None where nothing did."""
    try:
        with path.open("xb") as file:
            file.write(encoded(text))
    except FileExistsError:
        return f"{cell(path)} is there already; choose another name"
    except (OSError, ValueError) as fault:
        return f"{cell(path)} cannot be written ({getattr(fault, 'strerror', None) or fault})"
    return None


def write_beside(folder: Path, name: str, text: str) -> Path:
    """Write into `folder`, under the next free name. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stem, dot, ending = name.rpartition(".")
    for number in range(1, 10_000):
        path = folder / (name if number == 1 else f"{stem}-{number}{dot}{ending}")
        with contextlib.suppress(FileExistsError):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(handle, "wb") as file:
                file.write(encoded(text))
            return path
    raise FileExistsError(f"{folder}: no free name for {name}")


def run_on_file(variables: tuple[str, ...], otherwise: str, text: str, ending: str) -> str | None:
    """Show `text` in the program that one of these variables names, on a private copy; what went wrong, or None.

    Blocks until the program ends: call it with the app suspended.
    """
    command = next((value for name in variables if (value := os.environ.get(name, "").strip())), otherwise)
    handle, path = tempfile.mkstemp(prefix="batchtui-", suffix=ending)
    try:
        with open(handle, "wb") as file:
            file.write(encoded(text))
        code = subprocess.run([*shlex.split(command), path], check=False).returncode
    except (OSError, ValueError) as fault:
        return f"{cell(command, 60)} cannot be started ({getattr(fault, 'strerror', None) or fault})"
    finally:
        Path(path).unlink(missing_ok=True)
    return f"{cell(command, 60)} ended with {code}" if code else None


_COLON = ("code", "codium", "subl", "hx", "helix", "zed")
"""Editors that take a line behind the name of the file."""


def run_at(path: Path, line: int | None) -> str | None:
    """Open the file itself in the user's editor, at a line; what went wrong, or None. Blocks as `run_on_file` does."""
    command = next(
        (value for name in ("VISUAL", "EDITOR") if (value := os.environ.get(name, "").strip())), "vi"
    )
    try:
        words = shlex.split(command)
        behind = line is not None and Path(words[0]).name in _COLON
        place = [f"{path}:{line}"] if behind else [*([f"+{line}"] if line is not None else []), str(path)]
        code = subprocess.run([*words, *place], check=False).returncode
    except (OSError, ValueError) as fault:
        return f"{cell(command, 60)} cannot be started ({getattr(fault, 'strerror', None) or fault})"
    return f"{cell(command, 60)} ended with {code}" if code else None


def for_pager(text: str) -> str:
    """Clean: a pager may let control characters through to the terminal. It is a screen, so keys are masked."""
    return clean(mask(text))
