"""A scenario manifest as the jobs of a `Batch`: planned as `batchtui run manifest.json` does, read row by row."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

from batchtui.errors import BadInput
from batchtui.model import BatchSpec, Json, LimitsSpec, OutputSpec, Row, SourceSpec
from batchtui.text import cell

if TYPE_CHECKING:
    from batchtui.api.engines import Home
    from batchtui.api.kinds import Backend
    from batchtui.engine.plan.planning import Planned
    from batchtui.sources.source import Source
    from batchtui.store.library import Draft


class Options(TypedDict, total=False):
    """What a `Batch` of a manifest takes beside it."""

    backend: str | Backend | None
    results_dir: str | Path | None
    timeout: str | float | None
    retries: int | None
    error_policy: Literal["continue", "stop"] | None
    data_dir: str | Path | None
    config: str | Path | None


@dataclass(frozen=True)
class Manifest:
    """`path` is absolute, `solver` a task or None for what the manifest says."""

    path: Path
    solver: str | None = None

    @classmethod
    def of(cls, path: str | Path, solver: str | None) -> Manifest:
        """Raises BadInput for a file that is no manifest, and a solver that there is not."""
        from batchtui.sources.manifests import manifest_readers

        task = None
        for reader in manifest_readers() if solver is not None else ():
            try:
                task = reader.task_of(solver)
            except ValueError as fault:
                raise BadInput(f"solver: {fault}") from None
        found = cls(Path(os.path.abspath(os.path.expanduser(path))), task)
        if found.path.is_dir() or found._source.native != "scenarios":
            raise BadInput(
                f"{cell(path, 200)}: is no scenario manifest, which has a list of scenarios, each with an id and a grid"
            )
        return found

    @cached_property
    def _source(self) -> Source:
        from batchtui.sources.readers import open_source

        return open_source(SourceSpec(file=str(self.path)), self.path.parent)

    @property
    def name(self) -> str:
        """What a batch of it is called where it is given no name."""
        return self.path.name.split(".")[0] or "batch"

    @property
    def count(self) -> int:
        return self._source.count_hint or 0

    def ids(self) -> list[str]:
        return [str(row.values["id"]) for row in self._source.rows() if isinstance(row, Row)]

    def planned(
        self, name: str, backend: str | None, home: Home, defaults: dict[str, Json], *,
        limits: LimitsSpec, output: OutputSpec, draft: Draft | None,
    ) -> Planned:  # fmt: skip
        """Every scenario checked; with a draft, written there. Raises ConfigError."""
        from batchtui.engine.plan.planning import plan

        job = defaults | ({"task": self.solver} if self.solver else {})
        source = SourceSpec(file=str(self.path))
        spec = BatchSpec(name=name, backend=backend, source=source, job=job, limits=limits, output=output)
        return plan(
            spec, Path.cwd(), home.backends(),
            draft=draft, where=str(self.path), files=self.path.parent, library=home.library,
        )  # fmt: skip
