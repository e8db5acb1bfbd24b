"""What is said of a batch that only follows: why, and where only a person can tell whether more of it lives."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import msgspec

from batchtui.backends.base import Remote, RemoteBatch
from batchtui.engine.adopt.adopting import submissions
from batchtui.engine.shared.pool import Backends
from batchtui.errors import BatchtuiError
from batchtui.store.disk import clock
from batchtui.store.files.header import BatchHeader
from batchtui.store.library import Library
from batchtui.text import cell

KIND = "copy"
"""Of the attention."""
ACTIONS = ["take-over"]
NOT_OURS = "none of the batch's backends lists it, or it has no job of the batch"
CLOCKS_APART = 600.0
"""Seconds before the batch was made from which one at a backend may be of it."""
_SHOWN = 4


def follows_words(header: BatchHeader, backends: Backends) -> str:
    text = f"this batch is only followed from here, and nothing of it is sent: {header.follows}"
    if untold := _untold(header, backends):
        text += f"; whether more of it lives at {untold} only you can tell: batchtui remote {untold}"
    return text[:300]


def _untold(header: BatchHeader, backends: Backends) -> str | None:
    """A backend of the batch that does not say whose a submission is, so that none can be found there."""
    for name in header.backends:
        try:
            backend = backends.get(name)
        except BatchtuiError:
            continue
        if isinstance(backend, Remote) and not backend.lists_tokens:
            return name
    return None


def may_be_ours(
    backend: Remote[msgspec.Struct], listed: Iterable[RemoteBatch], header: BatchHeader, library: Library
) -> list[str]:
    """Remote ids of what lives there, does not tell whose it is, and is of no batch of this library."""
    since = clock.unix(header.created) - CLOCKS_APART
    found = [
        one.remote_id
        for one in listed
        if one.token is None and not (backend.lists_tokens and one.tells) and _is_since(one.created, since)
    ]
    if not found:
        return []
    known = {record.remote_id for _, record in submissions(library, backend)}
    return [remote_id for remote_id in found if remote_id not in known]


def _is_since(created: str | None, since: float) -> bool:
    with contextlib.suppress(ValueError):
        return created is None or clock.unix(created) >= since
    return True


def ask_words(backend: Remote[msgspec.Struct], batch_id: str, remote_ids: list[str]) -> str:
    """What a person is asked where a take-over might pay for what lives at the backend."""
    name = cell(backend.name, 40)
    shown = ", ".join(cell(one, 60) for one in remote_ids[:_SHOWN])
    more = f" and {len(remote_ids) - _SHOWN:,} more" if len(remote_ids) > _SHOWN else ""
    adopt = (
        f"batchtui resolve {batch_id} adopt REMOTE_ID"
        if backend.names_jobs
        else f"batchtui adopt {name} REMOTE_ID"
    )
    return (
        f"nothing was taken over: {name} does not tell whose {shown}{more} is. What is of this batch comes home at no cost "
        f"by `{adopt}`; take-over once more sends all that is not here"
    )[:300]
