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
from batchtui.model import BatchSpec, Json, LimitsSpec, OutputSpec, SourceSpec
from batchtui.preflight import Preflight
from batchtui.text import cell

if TYPE_CHECKING:
    import msgspec

    from batchtui.config import Config
    from batchtui.engine.plan.planning import Planned
    from batchtui.engine.plan.refusals import Keep
    from batchtui.store.folder import BatchFolder
    from batchtui.store.library import Draft

_PROBLEMS_TOLD = 20
_logger = logging.getLogger("batchtui")
_OWN = frozenset({"command", "call", "task"})
"""Keys of work that no model does, so that no model says where it goes."""


def planned(
    name: str,
    backend: str | None,
    jobs: list[GivenJob],
    home: Home,
    *,
    limits: LimitsSpec,
    output: OutputSpec,
    draft: Draft | None,
    look_back: bool = True,
    keep: Keep = "some",
) -> Planned:
    """Every job checked; with a draft, written there. Raises BadInput, ConfigError for what no job can be blamed for."""
    from batchtui.engine.plan.planning import plan

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
    if not usual and any(_OWN & job.work.keys() and "backend" not in job.work for job in jobs):
        raise BadInput(
            f'{cell(name, 60)}: no backend is named; programs, calls and grids go to backend="local"'
        )
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
    made = plan(
        spec,
        Path.cwd(),
        backends,
        draft=draft,
        stdin=rows,
        where=name,
        library=home.library if look_back else None,
        keep=keep,
    )
    composing.reworded(made.preflight, jobs)
    return made


def joining(
    name: str, backend: str | None, job: GivenJob, home: Home, folder: BatchFolder
) -> dict[str, Json]:
    """The command by which one more job joins the batch that runs. Raises BadInput, ConfigError."""
    from batchtui.engine.manage.adding import ANEW, added

    if folder.header.cancelling or folder.header.stopping:
        raise BadInput(f"batch {folder.id} was stopped and takes no more jobs; {ANEW}")
    made = planned(
        name, backend, [job], home, limits=LimitsSpec(), output=OutputSpec(), draft=None, look_back=False,
        keep="any",
    )  # fmt: skip
    refuse(name, made.preflight, unpriced=True, again=True)
    assert made.backend is not None
    backends = home.backends()
    work = {key: value for key, value in job.work.items() if key != "schema"}
    row = ({"name": job.name} if job.name else {}) | job.row
    fallbacks = composing.fallbacks(made.backend.Work) | backends.config.defaults.job
    return added(folder, backends, made, job.id, row, work, fallbacks)


def _work(backend: str | None, config: Config) -> type[msgspec.Struct]:
    """The fields that jobs there have; those of prompts where a job's model alone says where it goes."""
    from batchtui.backends.prompts.work import ChatWork
    from batchtui.backends.registry import load_kind

    if backend is None or backend not in config.names():
        return ChatWork
    return load_kind(config.backend(backend).kind).Work


def refuse(name: str, flight: Preflight, *, unpriced: bool, again: bool) -> None:
    """Raises BadInput where it cannot be sent; warnings are logged."""
    fatal = [str(problem) for problem in flight.problems if problem.fatal]
    if fatal:
        more = f"; and {len(fatal) - _PROBLEMS_TOLD} more" if len(fatal) > _PROBLEMS_TOLD else ""
        told = "; ".join(fatal[:_PROBLEMS_TOLD])
        raise BadInput(f"batch {cell(name, 60)}: nothing was sent: {told}{more}")
    for problem in flight.problems:
        if problem.asks == "cost" and not unpriced:
            raise BadInput(f"{problem}; run(unpriced=True) sends it all the same")
        if problem.asks == "again" and not again:
            raise BadInput(f"{problem}; nothing was sent, run(again=True) sends them all the same")
        _logger.warning("%s", problem)
