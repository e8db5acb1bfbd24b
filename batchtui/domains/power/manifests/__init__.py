"""Scenario manifests as a source: four shapes, one kind of row. What `batchtui/sources/manifests.py` asks for is here."""

from __future__ import annotations

from pathlib import Path

from batchtui.domains.power.domain import TASKS
from batchtui.domains.power.manifests.file import written
from batchtui.domains.power.manifests.keys import solver_of
from batchtui.domains.power.manifests.rows import manifest_of
from batchtui.model import Json
from batchtui.sources.inputs import Input
from batchtui.sources.manifests import Manifest
from batchtui.text import cell


def from_json(source: Input, folder: Path, *, only_inside: bool) -> Manifest | None:
    """The manifest in a JSON source; None for what is none."""
    found = written(source)
    return manifest_of(found, source.name, folder, only_inside=only_inside) if found else None


def from_yaml(source: Input, folder: Path, *, only_inside: bool) -> Manifest:
    """The manifest in a YAML source. Raises BadSource where no YAML package is there, or it is no manifest."""
    from batchtui.domains.power.manifests.yaml import written_yaml

    return manifest_of(written_yaml(source), source.name, folder, only_inside=only_inside)


def task_of(word: Json) -> str:
    """One of TASKS; `DC-OPF`, `N-1` and gat's `opf-dc` are understood. Raises ValueError."""
    task = solver_of(word)
    if task not in TASKS:
        raise ValueError(f'"{cell(task, 40)}" is none of {", ".join(TASKS)}')
    return task
