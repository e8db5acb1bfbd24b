"""Manifests: files that say all jobs of a field of work, in its own words. Who reads them stands in the cards of domains."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast

from batchtui.catalog import domains
from batchtui.model import Json, Problem, Row
from batchtui.sources.inputs import Input
from batchtui.sources.source import Implied

FORM: Final = "scenarios"


@dataclass(frozen=True)
class Manifest:
    """`items` are its problems and rows, in its order, `columns` the names of its rows, `count` how many there are."""

    items: list[Row | Problem]
    columns: list[str]
    count: int
    default_job: dict[str, Json]
    implied: Implied


class ManifestReader(Protocol):
    """What the module has. `folder` is where the paths in it start from; with `only_inside` one that leads out is a fault."""

    def from_json(self, source: Input, folder: Path, *, only_inside: bool) -> Manifest | None:
        """None for what is no manifest of this field."""

    def from_yaml(self, source: Input, folder: Path, *, only_inside: bool) -> Manifest:
        """Raises BadSource for what is none."""

    def task_of(self, word: Json) -> str:
        """The task that is meant by a word of the field. Raises ValueError."""


def manifest_readers() -> list[ManifestReader]:
    """Those of all domains."""
    return [cast(ManifestReader, import_module(one.manifests)) for one in domains() if one.manifests]
