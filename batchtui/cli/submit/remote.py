"""`remote`: the batches that live at a backend, whoever made them."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, TypeVar

import msgspec

from batchtui.cli.shared.phrases import OK, ago
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput, ConfigError, Unreachable

if TYPE_CHECKING:
    from batchtui.backends.base import Remote

T = TypeVar("T")
CALL_SECONDS = 600.0


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("backend", metavar="BACKEND", help="a configured backend that takes whole batches")
    parser.add_argument("--status", metavar="S", help="only those whose status the backend calls S")


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    from batchtui.engine.adopt.adopting import submissions

    backend = remote_backend(session, args.backend)
    listed = asked(session, args.backend, backend.list())
    here = {
        record.remote_id or folder.header.adopted: folder.id
        for folder, record in submissions(session.library, backend)
    }
    ids = set(session.library.ids())
    rows = []
    for one in listed:
        if args.status and one.status != args.status:
            continue
        token_of = (one.token or "").partition("-")[0]
        batch = here.get(one.remote_id) or (token_of if token_of in ids else None)
        rows.append((one.remote_id, one.status, ago(one.created), one.jobs, one.name, batch))
        if session.console.json:
            session.console.document(
                {
                    "remote_id": one.remote_id,
                    "status": one.status,
                    "created": one.created,
                    "jobs": one.jobs,
                    "name": one.name,
                    "batch": batch,
                }
            )
    if not session.console.json:
        if rows:
            session.console.table(
                ("REMOTE ID", "STATUS", "CREATED", "JOBS", "NAME", "BATCH"), rows, right=("JOBS",)
            )
        nothing = f"none of {len(listed):,} is {args.status}" if listed else "nothing lives there"
        session.console.note(f"`batchtui adopt {args.backend} REMOTE_ID` takes one over" if rows else nothing)
    return OK


def remote_backend(session: Session, name: str) -> Remote[msgspec.Struct]:
    """Raises BadInput for a backend that keeps nothing, NotFound, ConfigError."""
    from batchtui.backends.base import Remote

    backend = session.backends.get(name)
    if not isinstance(backend, Remote):
        raise BadInput(f"{name}: jobs of kind {backend.kind} run here one by one, so nothing lives there")
    return backend


def asked(session: Session, name: str, question: Coroutine[object, object, T]) -> T:
    """What the backend answers. Raises Unreachable, and ConfigError for a key that is not taken."""
    from batchtui.backends.base import NeedsPerson, Refused, Transient, TryLater

    async def answer() -> T:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await question
        finally:
            await session.backends.close()

    try:
        return asyncio.run(answer())
    except TimeoutError:
        raise Unreachable(f"{name}: no answer within {CALL_SECONDS:g} s") from None
    except NeedsPerson as fault:
        error = ConfigError if fault.kind in ("key", "address") else Unreachable
        raise error(f"{name}: {fault.message}") from None
    except (Refused, TryLater, Transient) as fault:
        raise Unreachable(f"{name}: {fault.message}") from None
