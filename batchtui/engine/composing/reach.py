"""What a batch file reaches for outside its own folder: files it reads, folders it runs programs in or writes to."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from batchtui.backends.attachments.files import FileFault
from batchtui.engine.composing.attaching import files_folder, paths_of
from batchtui.engine.outputs.result_files import output_dir
from batchtui.model import BatchSpec
from batchtui.results.schema import schema_path
from batchtui.store.lines import StoreFull, replace_file
from batchtui.text import cell

KEYS = ("job.file", "job.schema", "job.cwd", "job.python_path", "job.grid", "job.loads", "output.dir")
READS, RUNS, WRITES = "reads files in", "runs programs in", "writes results to"
PLACES_SHOWN = 5


@dataclass
class Reach:
    """Collects, job by job, the folders outside `base` that a batch file leads to.

    `own` are keys whose value the user gave beside the file, which are the user's own words.
    """

    spec: BatchSpec
    base: Path
    own: Collection[str] = ()
    places: set[tuple[str, str]] = field(default_factory=set)
    """(what is done there, the folder)."""
    _inside: dict[str, bool] = field(default_factory=dict)
    _real: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._root = os.path.realpath(self.base)
        self._files = files_folder(self.spec, self.base)
        if self.spec.output.dir and "output.dir" not in self.own:
            target = os.path.realpath(output_dir(self.spec, self.base))
            if not self._is_inside(target):
                self.places.add((WRITES, target))
        schema = self.spec.job.get("schema")  # its words go to the provider
        if isinstance(schema, str) and "job.schema" not in self.own:
            folder = self._folder_of(schema_path(schema, self.base))
            if not self._is_inside(folder):
                self.places.add((READS, folder))

    def look(self, work: msgspec.Struct) -> None:
        """Take in what one job reads, and where it runs."""
        if "job.file" not in self.own:
            try:
                paths = paths_of(work, self._files)
            except FileFault:
                paths = []
            for path in paths:
                folder = self._folder_of(path)
                if not self._is_inside(folder):
                    self.places.add((READS, folder))
        for key in ("grid", "loads"):
            place = getattr(work, key, None)
            if isinstance(place, str) and f"job.{key}" not in self.own:
                folder = self._folder_of(Path(place))
                if not self._is_inside(folder):
                    self.places.add((READS, folder))
        cwd = getattr(work, "cwd", None)
        if isinstance(cwd, str) and "job.cwd" not in self.own and _leads_away(cwd):
            folder = os.path.realpath(cwd)
            if not self._is_inside(folder):
                self.places.add((RUNS, folder))
        for path in getattr(work, "python_path", ()) if "job.python_path" not in self.own else ():
            folder = os.path.realpath(path)
            if not self._is_inside(folder):
                self.places.add((RUNS, folder))

    def _folder_of(self, path: Path) -> str:
        """The folder that the file truly lies in, whatever links lead there."""
        if os.path.islink(path):
            return os.path.dirname(os.path.realpath(path))
        place = str(path.parent)
        if place not in self._real:
            self._real[place] = os.path.realpath(place)
        return self._real[place]

    def _is_inside(self, folder: str) -> bool:
        if folder not in self._inside:
            self._inside[folder] = os.path.commonpath((self._root, folder)) == self._root
        return self._inside[folder]

    @property
    def lines(self) -> list[str]:
        """What it does outside, one sort a line; empty where it stays inside."""
        said = []
        for what in (READS, RUNS, WRITES):
            places = sorted(place for done, place in self.places if done == what)
            if places:
                more = f" and {len(places) - PLACES_SHOWN:,} more" if len(places) > PLACES_SHOWN else ""
                said.append(f"{what} {', '.join(cell(place, 120) for place in places[:PLACES_SHOWN])}{more}")
        return said

    @property
    def hash(self) -> str:
        """Of the batch as the file has it, its folder and all that it reaches for: a change of any asks anew."""
        told = [msgspec.to_builtins(self.spec), self._root, sorted(self.places)]
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _leads_away(path: str) -> bool:
    """Whether a path is more than a step down from where one stands."""
    return os.path.isabs(path) or os.path.normpath(path).split(os.sep)[0] == os.pardir


class Trusted:
    """The hashes that a person agreed to, in the app's data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "trusted.json"

    def _read(self) -> list[str]:
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return []
        return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []

    def __contains__(self, hash_: str) -> bool:
        return hash_ in self._read()

    def add(self, hash_: str) -> None:
        """Remember it; where that cannot be written down, it is asked again."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_file(self._path, json.dumps([*self._read(), hash_]).encode() + b"\n")
        except (OSError, StoreFull):
            return
