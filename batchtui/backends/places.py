"""What lives at a backend, as it says: a look-up, a probe, the batches there and their jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from batchtui.model import Json


@dataclass(slots=True)
class Found:
    """What `find` learnt: `remote_id` when it lives, `absent` when it surely does not, neither: cannot tell.

    `later`: it will be told apart by itself after a while, so ask again in place of a person.
    """

    remote_id: str | None = None
    absent: bool = False
    reason: str = ""
    later: bool = False


@dataclass(slots=True)
class Probe:
    """Reachable, key accepted, and what it offers."""

    ok: bool
    message: str
    models: list[str] = field(default_factory=list)


@dataclass(slots=True)
class RemoteBatch:
    """One batch that lives at a backend, for `remote` and `adopt`."""

    remote_id: str
    status: str
    created: str | None = None
    jobs: int | None = None
    token: str | None = None
    name: str | None = None
    tells: bool = True
    """Whether it would bear a token, were it a submission of ours."""
    read: Callable[[], Awaitable[str]] | None = None
    """Reads what bears our mark where the list does not tell a token: its name, or the id of one of its rows; empty
    where that does not show, or not yet."""
    fits: Callable[[Json], bool] | None = None
    """Whether it may be what a job asks for, as the backend describes that; None: the list does not tell."""


@dataclass(slots=True)
class RemoteJob:
    """A job as its backend holds it: the id that its answer carries, and its `[job]`, of one set of keys a kind.

    `ended`: its answer can be had, though others of its submission may still run.
    """

    wire_id: str
    work: dict[str, Json]
    ended: bool = False
