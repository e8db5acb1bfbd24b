"""What the submissions of a batch left at their backends, deleted with the batch."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from batchtui.errors import BatchtuiError
from batchtui.store.disk import clock

if TYPE_CHECKING:
    from batchtui.backends.base import Remote, Submission
    from batchtui.engine.shared.pool import Backends
    from batchtui.store.folder import BatchFolder

    Left = tuple[Remote[msgspec.Struct], Submission]


def leftovers(folder: BatchFolder, backends: Backends) -> list[Left]:
    """What to `discard` once the batch itself is deleted. Backends that are no longer configured are passed over.

    What a copy only follows is left alone: it is of the store that sends.
    """
    from batchtui.backends.base import Remote, Submission
    from batchtui.backends.registry import load_kind

    found: list[Left] = []
    if folder.header.follows:
        return found
    for record in folder.progress.submissions.values():
        if not record.token.startswith(f"{folder.id}-"):
            continue  # made elsewhere
        try:
            if not getattr(load_kind(backends.kind(record.backend)), "leaves_files", False):
                continue  # and no key is asked for
            backend = backends.fresh(record.backend)
        except BatchtuiError:
            continue
        if isinstance(backend, Remote):
            submission = Submission(
                id=record.id,
                token=record.token,
                batch_name=folder.header.name,
                created=clock.unix(record.created),
                remote_id=record.remote_id,
                facts=record.facts,
            )
            found.append((backend, submission))
    return found


def discard_aside(left: list[Left]) -> None:
    """`discard` in a thread of its own, for a screen that must not wait."""
    if left:
        threading.Thread(target=discard, args=(left,), name="batchtui-discard", daemon=True).start()


def discard(left: Iterable[Left]) -> list[str]:
    """Delete it; what stays, and why. Blocks, on a loop of its own."""

    async def each() -> list[str]:
        said = []
        for backend, submission in left:
            said.append(await backend.discard(submission))
            await backend.close()
        return [words for words in said if words]

    return asyncio.run(each())
