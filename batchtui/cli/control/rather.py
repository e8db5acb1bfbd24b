"""Before `retry` pays: which answers may be had at no cost, since they were paid for and never brought home; and what
the rest is likely to cost."""

from __future__ import annotations

from collections.abc import Sequence

from batchtui.amounts import counted
from batchtui.cli.shared.phrases import money
from batchtui.cli.shared.session import Session
from batchtui.engine.collect.homing import free
from batchtui.errors import BadInput, BatchtuiError
from batchtui.model import UNSUCCESSFUL_JOB_STATES, JobState
from batchtui.store.files.inbox import Command
from batchtui.store.folder import BatchFolder


def rather_paid(folder: BatchFolder, wish: Command, session: Session, *, yes: bool) -> bool:
    """Whether to send these jobs again, after it was told what is free and what the rest costs; `yes` is the answer.

    On a terminal it asks where money is at stake. Without one only what may be had at no cost has to be agreed to:
    raises BadInput where nobody did.
    """
    console, numbers = session.console, _numbers(folder, wish)
    held, price = free(folder, numbers), price_words(folder, numbers, session)
    if held:
        told = f"{_jobs(len(held))} of {folder.id} failed only because the answer was not brought home"
        collect = f"`batchtui collect {folder.id}` fetches what is still there at no cost"
        if not yes and not console.can_ask:
            raise BadInput(f"{told}: {collect}; with --yes they are sent again, and paid again ({price})")
        console.error(f"{told}; {collect}.")
    if price:
        console.note(f"sending {_jobs(len(numbers))} again: {price}")
    if yes or not (held or price) or not console.can_ask:
        return True
    question = "Send them again all the same, and pay for them again?" if held else "Send and pay for them?"
    if console.ask(question):
        return True
    console.note("nothing was sent again")
    return False


def price_words(folder: BatchFolder, numbers: Sequence[int], session: Session) -> str:
    """What these jobs are likely to cost once more; empty for work that costs nothing."""
    from batchtui.engine.manage.estimate import likely_cost

    try:
        cost = likely_cost(folder, numbers, session.backends)
    except BatchtuiError:  # a fault of the config, which is told where it stops something
        cost = None
    if cost is None:
        return "what that costs is not known"
    return f"about {money(cost)}" if cost else ""


def _numbers(folder: BatchFolder, wish: Command) -> list[int]:
    """The jobs that go again by this wish."""
    if "jobs" in wish.args:
        numbers = [n for job_id in wish.args["jobs"] if (n := folder.jobs.number(job_id)) is not None]
    else:
        states = [JobState(word) for word in wish.args.get("status") or ()] or [*UNSUCCESSFUL_JOB_STATES]
        numbers = folder.progress.numbers(*states)
    return [n for n in numbers if n not in folder.born]


def _jobs(count: int) -> str:
    return counted(count, "job")
