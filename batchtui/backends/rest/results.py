"""What a result is to kind `rest`, wherever it came from: the reply to a fetch, or the one to the submit itself."""

from __future__ import annotations

from dataclasses import dataclass

from batchtui.backends.base import Transient
from batchtui.backends.rest.places import Places
from batchtui.backends.rest.settings import Submit
from batchtui.backends.rest.states import States
from batchtui.backends.rest.templates import Compiler
from batchtui.backends.wire.replies import Reply, error_words, parse_json, tidy
from batchtui.model import JobState, Json, Outcome
from batchtui.sources.templates.filters import as_text

LIVE = ("submitted", "processing", "cancelling")
ENDINGS = {"json": "json", "jsonl": "jsonl", "text": "txt"}


def parsed(format_: str, text: str) -> Json:
    """What that text holds, read as the format says. Raises ValueError."""
    if format_ == "text":
        return text
    if format_ == "jsonl":
        return [parse_json(line) for line in text.removeprefix("\ufeff").split("\n") if line.strip()]
    return parse_json(text)


@dataclass(slots=True)
class ResultAt:
    """Where a result, its words and its cost stand in what holds them. Without places the result is all of it."""

    result: Places
    text: Places
    cost: Places

    def outcome(self, value: Json | Reply, remote: dict[str, Json]) -> Outcome:
        """Completed with what stands there; without it the API broke its word."""
        found = self.result(value) if self.result else value.json if isinstance(value, Reply) else value
        if found is None:
            error = f"the reply holds no result at {self.result}"
            return Outcome(state=JobState.FAILED, error=error, error_kind="bad_reply", remote=remote)
        text = self.text(value) if self.text else found if isinstance(found, str) else None
        return Outcome(
            state=JobState.COMPLETED,
            output=found,
            raw_response=None if text is None else as_text(text),
            cost_usd=self.cost.number(value),
            remote=remote,
        )


class AtOnce:
    """The reply to a submit where that may hold the result: what `submit.result` and its neighbours say.

    It is judged by its body alone, which is kept and read again. `is_asked`: what was submitted may also have to be
    asked for. Raises ConfigError.
    """

    def __init__(self, compiler: Compiler, submit: Submit, state_of: States, is_asked: bool) -> None:
        def place(name: str) -> Places:
            found = compiler.place(getattr(submit, name), f"submit.{name}")
            if any(source.partition(":")[0] in ("header", "http") for source in found.sources):
                raise compiler.fault(
                    found.key, "a result that comes at once is kept by its body: name a place there"
                )
            return found

        self._at = ResultAt(place("result"), place("text"), place("cost_usd"))
        self._status, self._error = place("status"), place("error")
        self._format, self._state_of = submit.format, state_of
        self._only_begun = (201, 202) if is_asked else (202,)
        """Numbers in the status line which say that it was taken, not that it is done."""

    @property
    def place(self) -> Places:
        return self._at.result

    @property
    def ending(self) -> str:
        return ENDINGS[self._format]

    def holds(self, reply: Reply) -> bool:
        """Whether it is the work's end: with a result, with a word for how it failed, or with one that is not known."""
        if reply.status in self._only_begun:
            return False
        try:
            body = parsed(self._format, reply.text)
        except ValueError:
            return False
        word = self._status(body)
        state = None if word is None else self._state_of(word)
        if state in LIVE:
            return False
        failed = word is not None and state != "completed"
        return failed or self._at.result(body) is not None

    def outcome(self, text: str, remote: dict[str, Json]) -> Outcome:
        """Raises Transient where its status is not known."""
        try:
            body = parsed(self._format, text)
        except ValueError as fault:
            raise Transient(f"the answer that was kept is {fault}", kind="bad_reply") from None
        word = self._status(body)
        state = None if word is None else self._state_of(word)
        if word is not None and state is None:
            raise self._state_of.unknown(word)
        if state in (None, "completed"):
            return self._at.outcome(body, remote)
        words = tidy(error_words(self._error(body))) or f"the API says that it ended as {state}"
        return Outcome(state=JobState.FAILED, error=words, error_kind="remote", remote=remote)
