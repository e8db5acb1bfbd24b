"""What a scenario is solved from, as one hash: the contents of its files, its options and the solver's version."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping
from importlib import metadata
from typing import Final

from batchtui import __version__
from batchtui.model import Json

OPTIONS: Final = ("task", "outages", "load_scale", "generation_scale", "dc_model", "slack")
_SOLVERS: Final = {
    "dc": ("lightsim2grid",),
    "ac": ("lightsim2grid",),
    "n1": ("lightsim2grid",),
    "dcopf": ("pypower", "scipy"),
    "acopf": ("pypower", "scipy"),
}
_BLOCK: Final = 1 << 20
_BY: Final = "-"
_digests: dict[str, tuple[tuple[int, int, int], str]] = {}
"""By path: what the file was when it was read (size, time, inode), and its hash. Grids are shared by many scenarios."""
_MOST_DIGESTS: Final = 10_000


def input_hash(scenario: Mapping[str, Json]) -> str | None:
    """SHA-256 over the files' contents, the options that are given, and the solver's version, in hexadecimal.

    None where a file cannot be read: such a scenario has no result to compare.
    """
    try:
        files = [_digest(scenario[key]) if scenario.get(key) else None for key in ("grid", "loads")]
    except OSError:
        return None
    options = {key: scenario[key] for key in OPTIONS if scenario.get(key) is not None}
    said = [*files, options, solver_version(str(scenario.get("task")))]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def solved_by(hash_: str | None, solver: Json) -> str | None:
    """The hash with what else a result was made from: a program of another's, its version and its options."""
    if hash_ is None:
        return None
    return f"{hash_}{_BY}{hashlib.sha256(json.dumps(solver).encode()).hexdigest()}"


def same_inputs(told: Json, hash_: str) -> bool:
    """Whether a result's hash is of these inputs, whatever program solved them."""
    return isinstance(told, str) and told.partition(_BY)[0] == hash_


@functools.cache
def solver_version(task: str) -> str:
    """`batchtui 1.0, lightsim2grid 1.2.0`; libraries that are missing are left out."""
    said = [f"batchtui {__version__}"]
    for name in _SOLVERS.get(task, ()):
        try:
            said.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(said)


def _digest(path: str) -> str:
    """Of a file's content, or of all files in a folder with their names. Raises OSError."""
    if os.path.isdir(path):
        inside = sorted(os.scandir(path), key=lambda entry: entry.name)
        listed = [(entry.name, _digest_of_file(entry.path)) for entry in inside if entry.is_file()]
        return hashlib.sha256(json.dumps(listed).encode()).hexdigest()
    return _digest_of_file(path)


def _digest_of_file(path: str) -> str:
    stat = os.stat(path)
    was = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
    known = _digests.get(path)
    if known is not None and known[0] == was:
        return known[1]
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    if len(_digests) >= _MOST_DIGESTS:
        _digests.clear()
    _digests[path] = (was, digest.hexdigest())
    return digest.hexdigest()
