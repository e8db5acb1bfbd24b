"""Where each job of a batch runs: the backend that the job names, else the batch's, else the one of its model."""

from __future__ import annotations

from batchtui.backends.prompts.model_kinds import kind_of_model, takes_models_of
from batchtui.engine.plan.compose.rendering import BadField, has_template, with_sweep
from batchtui.engine.shared.pool import Backends
from batchtui.model import BatchSpec, Json, Row
from batchtui.sources.templates.template import Template, compile_template
from batchtui.text import cell

_REQUESTS = ("body", "params")
"""Fields of `[job]` that hold a whole request, its model inside."""


class Routing:
    """`fixed` is the one backend of all jobs; None where it is each job's own matter."""

    def __init__(self, spec: BatchSpec, implied: dict[str, Json], backends: Backends) -> None:
        """`implied` is the `[job]` that the source itself brings. Raises BadField for a model of no backend."""
        self._backends = backends
        self._compiled: dict[str, Template] = {}
        self.fixed: str | None = None
        named = spec.job.get("backend")
        if "backend" in spec.sweep or (isinstance(named, str) and "{{" in named):
            self._asks = {"backend": named}
        elif named is not None:
            self.fixed, self._asks = str(named), {}
        else:
            self.fixed = spec.backend or backends.config.defaults.backend
            job = {**backends.config.defaults.job, **implied, **spec.job}
            self._asks = {key: job[key] for key in ("model", *_REQUESTS) if key in job}
            if "model" in spec.sweep:
                self._asks.setdefault("model", None)
            elif self.fixed is None and self._asks and not has_template(self._asks):
                self.fixed = self._of_model(_model(self._asks))

    @property
    def possible(self) -> bool:
        """Whether anything says where jobs run."""
        return self.fixed is not None or bool(self._asks)

    def backend(self, row: Row, sweep: dict[str, Json]) -> str:
        """The name of the backend that this job is for. Raises TemplateError, BadField."""
        if self.fixed is not None:
            return self.fixed
        keys = {key: value for key, value in sweep.items() if key in ("backend", "model")}
        name = repr(keys)
        if name not in self._compiled:
            self._compiled[name] = compile_template(with_sweep(self._asks, keys), where="job")
        asked = self._compiled[name].render(row.values)
        if "backend" in asked:
            if not isinstance(asked["backend"], str) or not asked["backend"].strip():
                raise BadField("the backend's name is empty", "job.backend")
            return asked["backend"]
        return self._of_model(_model(asked))

    def _of_model(self, model: Json) -> str:
        configured = self._backends.config.backends
        if not isinstance(model, str) or not model:
            raise BadField(
                f"no backend is named, and no model either; set one of: {self._known()}", "backend"
            )
        kind = kind_of_model(model)
        if kind is None:
            raise BadField(
                f'model "{cell(model, 60)}" does not tell its backend; set one of: {self._known()}', "backend"
            )
        fitting = [name for name, backend in configured.items() if takes_models_of(kind, backend.table)]
        if not fitting and (known := self._backends.without_key(kind)):
            return known  # what it would send and cost is told, and that its key is missing
        if not fitting:
            raise BadField(
                f'model "{cell(model, 60)}" is for a backend of kind {kind}, and none is configured; '
                f"set one of: {self._known()}",
                "backend",
            )
        if len(fitting) > 1:
            choices = ", ".join(map(cell, fitting))
            raise BadField(f'model "{cell(model, 60)}" could go to any of {choices}; name one', "backend")
        return fitting[0]

    def _known(self) -> str:
        return ", ".join(map(cell, self._backends.config.backends)) or "none is configured"


def _model(asked: dict[str, Json]) -> Json:
    if asked.get("model"):
        return asked["model"]
    requests = (asked[key] for key in _REQUESTS if isinstance(asked.get(key), dict))
    return next((request.get("model") for request in requests), None)
