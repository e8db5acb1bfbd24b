"""What a batch takes from its source and from the user's config, where it says nothing itself."""

from __future__ import annotations

import msgspec

from batchtui.engine.shared.pool import Backends
from batchtui.errors import BatchtuiError
from batchtui.model import BatchSpec, LimitsSpec
from batchtui.sources.source import Implied


def completed(spec: BatchSpec, implied: Implied, backends: Backends) -> BatchSpec:
    """The spec with what its source implies: limits, a backend that can do its jobs."""
    spec = with_usual_limits(spec, implied.limits)
    if spec.backend is None and implied.kinds and not {"backend", "model"} & (spec.job.keys() | spec.sweep):
        spec = msgspec.structs.replace(spec, backend=usual_backend(implied, backends))
    return spec


def usual_backend(implied: Implied, backends: Backends) -> str | None:
    """The user's default backend where it is of a kind that does such jobs, else the one named like the first kind."""
    default = backends.config.defaults.backend
    if default is not None:
        try:
            if backends.kind(default) in implied.kinds:
                return default
        except BatchtuiError:
            return default  # what is wrong with it is told where it is used
    return implied.kinds[0] if implied.kinds else default


def with_usual_limits(spec: BatchSpec, usual: LimitsSpec) -> BatchSpec:
    """The spec, each limit that it leaves open as `usual` says."""
    given = msgspec.structs.asdict(spec.limits)
    limits = {name: getattr(usual, name) if value is None else value for name, value in given.items()}
    return msgspec.structs.replace(spec, limits=LimitsSpec(**limits))
