"""A reply to one prompt, judged: what it holds may be an answer, an error of a good status, or nothing of the kind.

An answer that cannot be read, or was cut, is final: it may have been paid for, and asking again would pay again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from batchtui.backends.answers.said import failed
from batchtui.backends.answers.streams.reading import whole_of
from batchtui.backends.base import Transient
from batchtui.backends.wire.errors.inner_errors import FINAL, as_refused, error_inside
from batchtui.backends.wire.replies import WORDS_KEPT, Reply, hushed, provider_words, raise_for
from batchtui.model import JobState, Json, Outcome
from batchtui.text import cell

_PAID = ("choices", "output", "content", "usage")
"""What a reply with an error holds where something was done before it."""


def read_reply(reply: Reply, read: Callable[[Json], Outcome], secrets: Sequence[str] = ()) -> Outcome:
    """The outcome of a reply whose answers `read` knows; a failure without the secrets. Raises as `raise_for` does."""
    whole = whole_of(reply)
    if whole is not None:
        reply = replace(reply, json=whole.body, problem=None)
    reply = hushed(reply, secrets)
    raise_for(reply)
    if whole is None:
        return _unreadable(reply)
    body = reply.json
    outcome = read(body)
    if outcome.state is not JobState.COMPLETED and (error := error_inside(body)):
        refused = as_refused(reply, error)
        if refused.status != FINAL:
            _raise(refused, outcome, isinstance(body, dict) and any(body.get(key) for key in _PAID))
    if whole.cut:
        outcome.state, outcome.error_kind = JobState.FAILED, "cut"
        outcome.error = "the stream ended before the answer did; what came of it is kept"
    return outcome


def _raise(refused: Reply, outcome: Outcome, maybe_done: bool) -> None:
    """As for a reply of that status, with what was read_reply before it kept for the last try."""
    try:
        raise_for(refused)
    except Transient as fault:
        raise Transient(
            fault.message, kind=fault.kind, maybe_done=maybe_done, after=fault.after, outcome=outcome
        ) from None


def _unreadable(reply: Reply) -> Outcome:
    kind = cell(reply.headers.get("content-type", "").partition(";")[0].strip() or "of no content type", 60)
    message = f"the reply ({reply.status}, {kind}) is {reply.problem}"
    if reply.text.strip():
        message = f"the reply ({reply.status}, {kind}) cannot be read as an answer: {provider_words(reply)}"
    if "html" in kind:
        message += "; is base_url right, and does no sign-in page stand in between?"
    return failed(message, "bad_reply", reply.text[:WORDS_KEPT] or None)
