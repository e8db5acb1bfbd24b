"""What a key does to jobs of one batch: to what is marked or shown. Where a filter hides some, both counts are asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from batchtui.engine.collect.homing import free
from batchtui.model import JOB_STATES, LIVE_JOB_STATES, UNSUCCESSFUL_JOB_STATES, JobState
from batchtui.store.folder import BatchFolder
from batchtui.tui.actions.scope import Scope
from batchtui.tui.look import figures
from batchtui.tui.screens.asking.dialogs import Choose, Confirm

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

"""The key that asks for answers that were not brought home."""
SHOWN, ALL = "shown", "all"
Then = Callable[[Sequence[int]], None]
NOT_ALONE = "jobs that were born at the backend cannot be sent again one by one: run the batch file anew"


def jobs(count: int, word: str = "") -> str:
    """`1 failed job`, `168 failed jobs`."""
    return f"{figures.count(count)} {f'{word} ' if word else ''}job{'' if count == 1 else 's'}"


def retry(app: BaseApp, batch_id: str, scope: Scope, done: Callable[[], None]) -> None:
    """Put jobs without a good answer back to pending; asks which where a filter hides some, and where it costs money.

    `done` is called once it was asked for.
    """
    folder = app.link.folder(batch_id)
    if folder is None:
        app.say("this batch is not there any more: it was removed meanwhile", "warning")
        return
    fits = _in_states(folder, UNSUCCESSFUL_JOB_STATES)
    wanted = scope.those(lambda n: fits(n) and n not in folder.born)
    if not wanted.meant:
        born = bool(scope.those(fits).meant)
        app.say(*((NOT_ALONE, "warning") if born else (f"nothing to retry: no {_job(scope)} failed",)))
        return
    words = _states(folder, wanted.meant)

    def costs(numbers: Sequence[int]) -> str:
        return cost_words(app, [(folder, numbers)])

    def act(numbers: Sequence[int]) -> None:
        _send(app, folder, "retry", numbers, fits, "go back to pending", "goes back to pending")
        done()

    if wanted.hides:
        _which(app, "Retry", wanted, words, act, costs)
    elif price := costs(wanted.meant):
        title = f"Retry {jobs(len(wanted.meant))} of {_name(folder)}?"
        _sure(app, title, f"{words}. {price.capitalize()}.", "Retry", wanted.meant, act)
    else:
        act(wanted.meant)


def cancel(app: BaseApp, batch_id: str, scope: Scope, whole: Callable[[], None]) -> None:
    """Ask, then cancel unfinished jobs; `whole` cancels the batch with all that may still be born in it."""
    folder = app.link.folder(batch_id)
    if folder is None:
        app.say("this batch is not there any more: it was removed meanwhile", "warning")
        return
    fits = _in_states(folder, LIVE_JOB_STATES)
    wanted = scope.those(fits)
    if not scope.marked and not wanted.hides:
        whole()
        return
    if not wanted.meant:
        app.say("nothing to cancel: the marked jobs have ended")
        return

    def act(numbers: Sequence[int]) -> None:
        if not scope.marked and len(numbers) == len(wanted.meant):
            app.link.command(batch_id, "cancel")
            app.say(f"cancelling {_name(folder)}; results that still come are kept")
        else:
            _send(app, folder, "cancel", numbers, fits, "are cancelled", "is cancelled")

    if wanted.hides:
        _which(
            app, "Cancel", wanted, _states(folder, wanted.meant), act, lambda numbers: _held(folder, numbers)
        )
    else:
        ids = folder.jobs.ids
        what = f'job "{ids[wanted.meant[0]]}"' if len(wanted.meant) == 1 else jobs(len(wanted.meant))
        body = "Jobs that have ended keep their result."
        if held := _held(folder, wanted.meant):
            body = f"{body} {held.capitalize()}."
        _sure(app, f"Cancel {what}?", body, "Cancel", wanted.meant, act)


def cost_words(app: BaseApp, again: Sequence[tuple[BatchFolder, Sequence[int]]]) -> str:
    """`about $0.12 more`, if these jobs of these batches are sent again; empty for work that costs nothing."""
    from batchtui.engine.manage.estimate import likely_cost

    costs = [likely_cost(folder, numbers, app.backends) for folder, numbers in again]
    known = [cost for cost in costs if cost is not None]
    unpaid = sum(len(free(folder, numbers)) for folder, numbers in again)
    hint = (
        f"; {jobs(unpaid)} may come home at no cost instead, by {app.key('batch.collect')} (collect)"
        if unpaid
        else ""
    )
    if len(known) < len(costs):
        return f"what it costs is not known{hint}"
    price = f"about {figures.dollars(sum(known))} more" if sum(known) else ""
    return f"{price}{hint}" if price else hint.removeprefix("; ")


# ---- asking


def _which(
    app: BaseApp, verb: str, wanted: Scope, words: str, act: Then, about: Callable[[Sequence[int]], str]
) -> None:
    """These, or all: both counts, with what each would cost; the shown are the default, and esc does nothing."""
    some, every = len(wanted.shown), len(wanted.meant)
    what = f"{wanted.word} jobs" if wanted.word else "jobs"
    if not some:
        app.say(
            f"none of the jobs shown: {words} among the {what} that the filter hides; {app.key('screen.back')} clears it",
            "warning",
        )
        return

    def answered(choice: str | None) -> None:
        if choice:
            act(wanted.shown if choice == SHOWN else wanted.meant)

    def label(start: str, numbers: Sequence[int]) -> str:
        told = about(numbers)
        return f"{start}   {told}" if told else start

    app.ask(
        Choose(
            f"{verb} {figures.count(some)} of {jobs(every, wanted.word)}?",
            f"The filter shows {figures.count(some)} of {words}.",
            options=[
                (SHOWN, label(f"The {figures.count(some)} shown", wanted.shown)),
                (ALL, label(f"All {figures.count(every)}{' marked' if wanted.marked else ''}", wanted.meant)),
            ],
        ),
        answered,
    )  # fmt: skip


def _sure(app: BaseApp, title: str, body: str, yes: str, numbers: Sequence[int], act: Then) -> None:
    def answered(agreed: bool | None) -> None:
        if agreed:
            act(numbers)

    app.ask(Confirm(title, body, yes=yes, no="Keep"), answered)


def _send(
    app: BaseApp,
    folder: BatchFolder,
    command: str,
    numbers: Sequence[int],
    fits: Callable[[int], bool],
    many: str,
    one: str,
) -> None:
    """Send the command for those that it still fits: between question and answer some may have moved on."""
    still = [n for n in numbers if fits(n)]
    gone = len(numbers) - len(still)
    rest = f"; {jobs(gone)} changed meanwhile and {'is' if gone == 1 else 'are'} left alone" if gone else ""
    if still:
        app.link.command(folder.id, command, jobs=[folder.jobs.ids[n] for n in still])
        app.say(f"{jobs(len(still))} of {_name(folder)} {one if len(still) == 1 else many}{rest}")
    else:
        app.say(f"nothing was done{rest}", "warning")


# ---- words


def _in_states(folder: BatchFolder, states: frozenset[JobState]) -> Callable[[int], bool]:
    """Whether a job is in one of them by now."""
    codes = {JOB_STATES.index(state) for state in states}
    return lambda n: folder.progress.states[n] in codes


def _states(folder: BatchFolder, numbers: Sequence[int]) -> str:
    """`165 failed, 3 expired`."""
    codes = folder.progress.states
    counts: dict[int, int] = {}
    for n in numbers:
        counts[codes[n]] = counts.get(codes[n], 0) + 1
    most = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{figures.count(count)} {JOB_STATES[code].value}" for code, count in most)


def _held(folder: BatchFolder, numbers: Sequence[int]) -> str:
    """What a cancel cannot reach: a provider ends whole submissions only."""
    if not folder.header.remote:
        return ""
    processing = JOB_STATES.index(JobState.PROCESSING)
    held = sum(folder.progress.states[n] == processing for n in numbers)
    if not held:
        return ""
    return f"{figures.count(held)} of them {'is' if held == 1 else 'are'} at the backend, which ends whole submissions only"


def _job(scope: Scope) -> str:
    return f"{scope.word} job" if scope.word else "job"


def _name(folder: BatchFolder) -> str:
    return f'"{folder.header.name}"'
