"""`--env-file PATH`: variables from a file that the user names; no such file is ever looked for."""

from __future__ import annotations

import os
import re
from pathlib import Path

from batchtui.errors import ConfigError
from batchtui.text import cell
from batchtui.toml_file import read_text

_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*)")
_QUOTED = re.compile(r"""(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)')\s*(?:#.*)?""")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


_brought: set[str] = set()


def bring(path: Path) -> None:
    """Put the file's variables into this process's environment where they are not set. Raises ConfigError."""
    for name, value in read_env_file(path).items():
        os.environ.setdefault(name, value)
        _brought.add(name)


def brought() -> frozenset[str]:
    """Names of the variables that such a file set here: they are for this program, not for what it starts."""
    return frozenset(_brought)


def read_env_file(path: Path) -> dict[str, str]:
    """KEY=VALUE lines, with `export`, quotes and # comments; nothing is expanded.

    Raises ConfigError with file and line; what stands in the line is not shown, it may be a key.
    """
    variables: dict[str, str] = {}
    for number, line in enumerate(read_text(path, ConfigError).split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        value = _value(match["value"]) if match else None
        if match is None or value is None:
            raise ConfigError(f"{cell(path)}: line {number}: expected NAME=value")
        variables[match["name"]] = value
    return variables


def _value(text: str) -> str | None:
    if text[:1] in ("'", '"'):
        match = _QUOTED.fullmatch(text)
        if match is None:
            return None
        if match["single"] is not None:
            return match["single"]
        return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), match["double"])
    return re.split(r"\s+#|^#", text, maxsplit=1)[0].rstrip()
