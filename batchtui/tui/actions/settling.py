"""What needs a person is settled here, and limits are set: each by the command that the shell sends too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchtui.model import Attention, BatchStatus, JobState, Json
from batchtui.tui.look import attention_words, figures, states
from batchtui.tui.screens.asking.dialogs import Ask, Choose
from batchtui.tui.screens.asking.limit_dialog import LimitDialog

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp


_DONE = {
    "release": 'the rest of "{}" goes',
    "cancel": 'cancelling "{}"',
    "resend": 'it is sent again: "{}" goes on',
    "abandon": 'it is given up: "{}" goes on without it',
    "collect": 'asking once more for the answers of "{}"',
    "take-over": '"{}" is sent from here from now on',
}
"""What is said once an answer was given, by its word."""


def resolve(app: BaseApp, batch_id: str | None) -> None:
    """Show what needs a person, and send the answer."""
    status = app.link.status(batch_id) if batch_id else None
    if status is None or not status.attention:
        app.say("nothing here needs you")
        return
    several = len(status.attention) > 1
    options, body = [], []
    for index, item in enumerate(status.attention):
        place = f"{item.submission}: " if several and item.submission is not None else ""
        options += [(f"{index}:{word}", place + label) for word, label in attention_words.answers(item)]
        since = figures.ago(item.since, app.now())
        body.append(f"{attention_words.title(item)} (since {since}).\n{attention_words.text(item)}")

    def answered(chosen: str | None) -> None:
        if chosen:
            index, _, word = chosen.partition(":")
            _answer(app, status, status.attention[int(index)], word)

    app.ask(Choose(f'Settle "{status.name}"', "\n\n".join(body), options=options), answered)


def _answer(app: BaseApp, status: BatchStatus, item: Attention, word: str) -> None:
    if word == attention_words.READ:
        _read_first(app, status)
    elif word == attention_words.LOOK:
        _look(app, status, item)
    elif word == "resume":
        app.link.command(status.id, "resume")
        app.say(f'"{status.name}" goes on')
    elif word == "limit":
        change_limits(app, status.id)
    elif word == "adopt":
        _adopt(app, status, item)
    else:
        app.link.command(status.id, "resolve", action=word, **_of(item))
        app.say(_DONE.get(word, '"{}" goes on').format(status.name))


def _of(item: Attention) -> dict[str, Json]:
    return {} if item.submission is None else {"submission": item.submission}


def _adopt(app: BaseApp, status: BatchStatus, item: Attention) -> None:
    def answered(remote_id: str | None) -> None:
        if remote_id and remote_id.strip():
            app.link.command(status.id, "resolve", remote_id=remote_id.strip(), action="adopt", **_of(item))
            app.say(f"adopting {remote_id.strip()}")

    app.ask(Ask("Adopt", "The id that the backend shows for this submission:"), answered)


def _look(app: BaseApp, status: BatchStatus, item: Attention) -> None:
    from batchtui.tui.screens.setup.remote import RemoteScreen

    of_it = (one.backend for one in status.submissions or [] if one.id == item.submission)
    app.push_screen(RemoteScreen(next(of_it, status.backend)))


def _read_first(app: BaseApp, status: BatchStatus) -> None:
    """The results of the canary, from its first job on."""
    folder = app.link.folder(status.id)
    if folder is None:
        return
    size = min(folder.header.spec.limits.canary or 1, folder.progress.total)
    back = [n for n in range(size) if folder.columns().state(n) is not JobState.PENDING]
    if back:
        app.open_batch(status.id)
        app.read_result(status.id, back[0], back)


def change_limits(app: BaseApp, batch_id: str | None) -> None:
    """Ask for the limits of a batch and set those that were changed."""
    status = app.link.status(batch_id) if batch_id else None
    folder = app.link.folder(batch_id) if batch_id else None
    if status is None or folder is None:
        app.say_none()
        return
    if not states.live(status):
        app.say(
            f'"{status.name}" has ended; limits are for what is still to be sent, such as jobs put back by a retry'
        )
        return
    facts = []
    if status.cost_usd or status.estimated_usd:
        spent = f"{figures.dollars(status.cost_usd or 0)} spent so far"
        facts.append(spent + (f", about {figures.dollars(status.estimated_usd)} estimated for all" if
                              status.estimated_usd else ""))  # fmt: skip
    enough = next((item.limit_usd for item in status.attention if item.limit_usd is not None), None)
    if enough is not None:
        facts.append(f"A limit of {figures.dollars(enough)} lets what waits go")
    if day := app.day_money.words():
        facts.append(f"Today: {day}; that limit is cost_usd_per_day in {app.config.path}")

    def answered(changed: dict[str, Json] | None) -> None:
        if not changed:
            return
        app.link.command(status.id, "limit", **changed)
        words = [f"{key.removesuffix('_usd')} {'none' if value is None else _said(key, value)}" for key, value in
                 changed.items()]  # fmt: skip
        app.say(f'"{status.name}": limits changed: {", ".join(words)}')

    limits = folder.header.spec.limits
    app.ask(LimitDialog(f'Limits of "{status.name}"', "\n".join(facts), limits), answered)


def _said(key: str, value: Json) -> str:
    return (
        figures.dollars(value)
        if key == "cost_usd" and isinstance(value, int | float)
        else figures.spelled(value)
        if isinstance(value, int | float)
        else str(value)
    )
