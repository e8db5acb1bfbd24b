"""A create that did the work at once: nothing holds its answer but the reply, so that is kept before all else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchtui.backends.base import Answered
from batchtui.store.files.answers import keep_answer, kept_answer

if TYPE_CHECKING:
    from batchtui.engine.context import BatchContext
    from batchtui.store.fold.progress import SubmissionRecord


async def take(context: BatchContext, record: SubmissionRecord, made: Answered) -> None:
    """Put it into raw/, whatever the batch keeps there, then journal that the submission has ended with it."""
    path = context.folder.path
    await context.persist(lambda: keep_answer(path, record.id, made.body, made.ending), aside=True)
    await take_kept(context, record)


async def take_kept(context: BatchContext, record: SubmissionRecord) -> bool:
    """Whether its answer is in raw/; journaled where it is, also after a kill that came before the journal knew."""
    name = kept_answer(context.folder.path, record.id)
    if name is not None:
        await context.persist_durably("answered", sub=record.id, file=name)
        context.log("info", f"submission {record.id} was answered with its result")
    return name is not None


def let_go(context: BatchContext, record: SubmissionRecord) -> None:
    """Its answer is stored: the file goes where the batch keeps nothing of what came, unless a job could not read it."""
    if record.answer and not record.failed and not context.folder.header.spec.output.raw:
        (context.folder.path / "raw" / record.answer).unlink(missing_ok=True)
