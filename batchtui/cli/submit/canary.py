"""`run --canary` on a terminal: shows what the first jobs gave, and asks about the rest."""

from __future__ import annotations

from batchtui.amounts import counted
from batchtui.cli.shared.console import one_line
from batchtui.cli.shared.drive import drive
from batchtui.cli.shared.session import Session
from batchtui.model import JobState
from batchtui.store.files.inbox import Command
from batchtui.store.folder import BatchFolder

SHOWN = 10


def offer_release(
    session: Session, folder: BatchFolder, reason: str | None
) -> tuple[BatchFolder, str | None]:
    """Drive the rest where a person releases it; else the batch as it stands, and why it does not go on."""
    if ("canary", None) not in folder.progress.attention or not session.console.can_ask:
        return folder, reason
    console, size = session.console, folder.header.spec.limits.canary or 0
    for n in range(min(size, SHOWN)):
        result = folder.result(n)
        said = result.error or result.raw_response or result.output
        console.error(f"  {one_line(result.job_id)[:40]}  {result.status}  {one_line(said)[:200]}")
    rest = folder.progress.count(JobState.PENDING)
    if not console.ask(f"Release the other {counted(rest, 'job')}?"):
        return folder, reason
    release = Command(command="resolve", args={"action": "release"})
    return drive(session, folder, prepare=lambda worker: worker.command(folder.id, release))
