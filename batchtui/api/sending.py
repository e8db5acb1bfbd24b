"""The jobs of a `Batch` as the engine plans them, and why they are not sent."""

from __future__ import annotations

import logging
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

from batchtui.api import composing
from batchtui.api.composing import GivenJob
from batchtui.api.engines import Home
from batchtui.errors import BadInput
from batchtui.model import BatchSpec, LimitsSpec, OutputSpec, Preflight, SourceSpec
from batchtui.text import cell

if TYPE_CHECKING:
    import msgspec

    from batchtui.config import Config
    from batchtui.engine.composing.planning import Planned
    from batchtui.store.library import Draft

_PROBLEMS_TOLD = 20
_logger = logging.getLogger("batchtui")


def planned(
    name: str,
    backend: str | None,
    jobs: list[GivenJob],
    home: Home,
    *,
    limits: LimitsSpec,
    output: OutputSpec,
    draft: Draft | None,
) -> Planned:
    """Every job checked; with a draft, written there. Raises BadInput, ConfigError for what no job can be blamed for."""
    from batchtui.engine.composing.planning import plan

    if not jobs:
        raise BadInput("the batch has no jobs; add_job adds one")
    backends = home.backends()
    usual = backend or backends.config.defaults.backend
    work = _work(jobs[0].work.get("backend") or usual, backends.config)
    if "name" in work.__struct_fields__:
        for job in jobs:
            if job.name:
                job.work["name"] = job.name
    under = backends.config.defaults.job | ({"backend": usual} if usual else {})
    schema = composing.common_schema(jobs)
    template, rows = composing.template_and_rows(jobs, under, work)
    if schema is not None:
        template["schema"] = schema
    spec = BatchSpec(
        name=name,
        backend=backend,
        source=SourceSpec(file=composing.STDIN),
        job=template,
        limits=copy(limits),
        output=copy(output),
    )
    made = plan(spec, Path.cwd(), backends, draft=draft, stdin=rows, where=name)
    composing.reworded(made.preflight, jobs)
    return made


def _work(backend: str | None, config: Config) -> type[msgspec.Struct]:
    """The fields that jobs there have; those of prompts where a job's model alone says where it goes."""
    from batchtui.backends.prompts.work import ChatWork
    from batchtui.backends.registry import load_kind

    if backend is None or backend not in config.names():
        return ChatWork
    return load_kind(config.backend(backend).kind).Work


def refuse(name: str, flight: Preflight, *, unpriced: bool) -> None:
    """Raises BadInput where it cannot be sent; warnings are logged."""
    fatal = [str(problem) for problem in flight.problems if problem.fatal]
    if fatal:
        more = f"; and {len(fatal) - _PROBLEMS_TOLD} more" if len(fatal) > _PROBLEMS_TOLD else ""
        told = "; ".join(fatal[:_PROBLEMS_TOLD])
        raise BadInput(f"batch {cell(name, 60)}: nothing was sent: {told}{more}")
    for problem in flight.problems:
        if "cost" in (problem.key or "") and not unpriced:
            raise BadInput(f"{problem}; run(unpriced=True) sends it all the same")
        _logger.warning("%s", problem)
