"""The whole table of a `rest` backend, compiled; every fault in it is named by its key before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from batchtui.backends.base import DOING, Job, Progress, Submission, Transient
from batchtui.backends.rest.lists import CompiledList
from batchtui.backends.rest.places import Places, Ways
from batchtui.backends.rest.results import AtOnce, ResultAt
from batchtui.backends.rest.settings import Fetch, Find, Poll, RestSettings, RestWork
from batchtui.backends.rest.states import States, word_of
from batchtui.backends.rest.templates import CompiledCall, Compiler, Request
from batchtui.backends.wire.replies import Reply, error_words, tidy
from batchtui.model import Json, SubmissionState
from batchtui.sources.templates.filters import as_text
from batchtui.sources.templates.template import Template, TemplateError
from batchtui.text import cell

BASE = frozenset({"token", "batch", "created", "created_unix"})
JOB = frozenset({"input", "name", "job_id", "id"})
RESERVED = BASE | JOB | {"env", "jobs", "page", "offset", "cursor", "item", "reply", "row"}
ENDED, KEPT, FAULT = "ended_as", "kept", "fault"
"""Among a submission's facts: the word for its end, ids that later calls need, why it failed."""
SEE_OTHER = 303
HOLD_MOST = 600.0
_LIVE = {state.value: state for state in SubmissionState}


class Parts:
    """Raises ConfigError."""

    def __init__(self, compiler: Compiler, settings: RestSettings) -> None:
        self._compiler = compiler
        submit, find = settings.submit, settings.find
        poll = settings.poll or Poll()
        self.is_asked = settings.poll is not None
        """Whether what was submitted is asked for; else the reply to a submit holds its result."""
        self._at_once(settings)
        keeps = {"submit.keep": submit.keep, "poll.keep": poll.keep}
        keeps |= {"find.keep": find.keep} if find else {}
        kept = {key: compiler.places(given, key, RESERVED) for key, given in keeps.items()}
        self.submit_keep, self.poll_keep = kept["submit.keep"], kept["poll.keep"]
        self.find_keep = kept.get("find.keep", {})
        self.later = BASE | {"id"} | {name for places in kept.values() for name in places}

        self.each: Template | None = None
        if submit.each is not None:
            self.each = compiler.template(submit.each, "submit.each", BASE | JOB | {"env"})
        names = BASE | ({"jobs"} if self.each else JOB)
        self._submit = compiler.call(submit, "submit", names)
        self._set = compiler.template(submit.set, "submit.set", {*names, "env"})
        sent = self._submit.names | self._set.names | (self.each.names if self.each else set())
        if self.each and "jobs" not in self._submit.body.names | self._set.names:
            raise compiler.fault("submit.body", "put {{ jobs }} where the jobs go, as each says them")
        if self.each and "id" not in self.each.names:
            raise compiler.fault(
                "submit.each", "put {{ id }} where the API keeps a job's name, to know its answer by"
            )
        self.submit_id = compiler.place(submit.id, "submit.id", submit.id_in)
        self.refused = compiler.place(submit.refused, "submit.refused")
        self._poll(poll)
        self._fetch(settings.fetch)
        self.cancel = compiler.call(settings.cancel, "cancel", self.later) if settings.cancel else None
        self.probe = compiler.call(settings.probe, "probe", ()) if settings.probe else None
        self.offered = compiler.place(settings.probe.items if settings.probe else None, "probe.items")
        self.offer = compiler.place(settings.probe.name if settings.probe else None, "probe.name")
        self._find(find, sent)
        self._ways(settings)
        self.look_back = compiler.seconds(settings.look_back, "look_back")

    def _at_once(self, settings: RestSettings) -> None:
        """Whether, and where, the reply to a submit holds the result."""
        compiler, submit = self._compiler, settings.submit
        self.state_of = States(settings.states, compiler.where.removeprefix("config: "))
        self.at_once: AtOnce | None = None
        if submit.result is not None:
            if submit.each is not None:
                raise compiler.fault("submit.result", "goes with one job a submit: take submit.each away")
            self.at_once = AtOnce(compiler, submit, self.state_of, self.is_asked)
            for key in ("fetch", "cancel", "find"):
                if not self.is_asked and getattr(settings, key) is not None:
                    raise compiler.fault(key, "goes with poll: without it nothing is asked for later")
        elif not self.is_asked:
            message = (
                "missing; say how work is asked for, or by submit.result where its reply holds the result"
            )
            raise compiler.fault("poll", message)

    def _poll(self, poll: Poll) -> None:
        compiler = self._compiler
        self.poll: CompiledCall | None = None
        self.poll_list: CompiledList | None = None
        self.list_id = compiler.place(None, "poll.list.id")
        if poll.path is not None or poll.url is not None:
            self.poll = compiler.call(poll, "poll", self.later)
        if poll.list is not None:
            self.poll_list = CompiledList(compiler, poll.list, "poll.list", BASE)
            self.list_id = compiler.place(poll.list.id, "poll.list.id", poll.list.id_in)
        if self.poll is None and self.poll_list is None and self.is_asked:
            raise compiler.fault(
                "poll.path", "missing; say how one is asked for by path or url, or many by list"
            )
        self.hold = compiler.seconds(poll.hold, "poll.hold", HOLD_MOST)
        self.status = compiler.place(poll.status, "poll.status")
        self._shown = {
            name: compiler.place(getattr(poll, name), f"poll.{name}")
            for name in ("progress", "stage", "error", "completed", "failed", "total")
        }

    def _fetch(self, fetch: Fetch | None) -> None:
        compiler = self._compiler
        self.fetch: CompiledCall | None = None
        self.fetch_list: CompiledList | None = None
        given = fetch or Fetch()
        lines = given.format == "jsonl"
        if self.each and (fetch is None or (fetch.items is None and not lines)):
            raise compiler.fault(
                "fetch.items", "missing: with submit.each the results of many jobs come in a list"
            )
        if fetch is None and self.poll is None and self.is_asked:
            raise compiler.fault(
                "fetch", "missing: without a poll.path there is no reply that holds a result"
            )
        if given.format in ("text", "file") and given.items is not None:
            raise compiler.fault("fetch.items", f"a result of format {given.format} is no list")
        plain = given.method == "GET" and given.body is None
        if given.format != "json" and given.file is None and not plain:
            raise compiler.fault("fetch.format", "goes with a GET without a body, or with fetch.file")
        if given.items is None and not self.each:
            for key in ("next", "cursor", "more", "total"):
                if getattr(given, key) is not None:
                    raise compiler.fault(f"fetch.{key}", "goes with fetch.items, the place of the list")
        if fetch and (self.each or fetch.items is not None):
            self.fetch_list = CompiledList(compiler, fetch, "fetch", self.later)
        elif fetch:
            self.fetch = compiler.call(fetch, "fetch", self.later)
        self.file = compiler.place(given.file, "fetch.file")
        self.format = given.format
        self.result_at = ResultAt(
            compiler.place(given.result, "fetch.result"),
            compiler.place(given.text, "fetch.text"),
            compiler.place(given.cost_usd, "fetch.cost_usd"),
        )
        self.job = compiler.place(given.job, "fetch.job")
        self.error = compiler.place(given.error, "fetch.error")
        self.fetch_keep = compiler.places(given.keep, "fetch.keep", ())

    def _find(self, find: Find | None, sent: set[str]) -> None:
        compiler = self._compiler
        self.find: CompiledList | None = None
        self.look: CompiledCall | None = None
        if find is None:
            return
        if "token" not in sent:
            raise compiler.fault("find.token", "submit sends no {{ token }}; put it where find can see it")
        self.find = CompiledList(compiler, find, "find", BASE)
        self.find_id = compiler.place(find.id, "find.id", find.id_in)
        self.find_token = compiler.place(find.token, "find.token")
        if find.look:
            self.look = compiler.call(find.look, "find.look", BASE | {"item"})

    def _ways(self, settings: RestSettings) -> None:
        """By these the id in an address is told; a list that is read for ids known already shows what it shows."""
        compiled = [call for call in (self.poll, self.fetch, self.cancel) if call]
        compiled += [each.call for each in (self.fetch_list,) if each]
        used = {name for call in compiled for name in call.names} | ({"id"} if self.poll_list else set())
        calls = [call for call in (settings.poll, settings.fetch, settings.cancel) if call]
        self.submit_id.ways = Ways(calls, settings.base_url or "", used)
        if self.find:
            self.find_id.ways = self.submit_id.ways

    @property
    def fetch_names(self) -> set[str]:
        call = self.fetch or (self.fetch_list.call if self.fetch_list else self.poll)
        return call.names if call else set()

    @property
    def listing(self) -> tuple[CompiledList | None, Places]:
        """The list that shows what lives there, and the place of the id in one of its items."""
        return (self.find, self.find_id) if self.find else (self.poll_list, self.list_id)

    @property
    def awaited(self) -> str:
        """What the reply to a submit is to hold, and where."""
        id_ = f"id at {self.submit_id}"
        if self.at_once is None:
            return id_
        return f"result at {self.at_once.place}" + (f", and no {id_}" if self.is_asked else "")

    # ---- what templates see

    def values(self, submission: Submission, env: Json) -> dict[str, Json]:
        """For calls about a submission, whether it has an id yet or not."""
        after = submission.created - self.look_back
        kept = submission.facts.get(KEPT)
        return {
            **(kept if isinstance(kept, dict) else {}),
            **({"id": submission.remote_id} if submission.remote_id else {}),
            "token": submission.token,
            "batch": submission.batch_name,
            "created": iso(after),
            "created_unix": int(after),
            "env": env,
        }

    def job_values(self, job: Job[RestWork], wire_id: str) -> dict[str, Json]:
        name = job.work.name or job.id
        return {"input": job.work.input, "name": name, "job_id": job.id, "id": wire_id}

    def create(self, values: Mapping[str, Json]) -> Request:
        """The call that submits. Raises TemplateError."""
        request = self._submit.render(values)
        if own := self._set.render(values):
            if not isinstance(request.body or {}, dict):
                raise TemplateError("submit.set", "the body is no object that could take further fields")
            request.body = {**(request.body or {}), **own}
        return request

    # ---- what a reply says

    def reads_body(self, reply: Reply) -> bool:
        """Whether its status must be in its body: it stands neither in a header nor in the status line."""
        return self.status(replace(reply, json=None)) is None

    def is_named(self, code: int) -> bool:
        """Whether `states` says what that number in the status line means."""
        return "http:status" in self.status.sources and self.state_of.names(code)

    def progress(self, item: Json | Reply) -> Progress:
        """Raises Transient for a reply without a status that is known."""
        said = self.status(item)
        if isinstance(item, Reply) and item.status == SEE_OTHER and not self.is_named(SEE_OTHER):
            said = "done"
        state = self.state_of(said)
        if state is None:
            if said is None:
                message = f"the reply holds no status at {self.status}"
                raise Transient(message, kind="bad_reply", answered=True)
            raise _inside(said, self.status) or self.state_of.unknown(said)
        word = word_of(said)
        live = _LIVE.get(state)
        if live is not None:
            return self._counted(Progress(live, facts={DOING: self._doing(item, word)}), item)
        told = Progress(SubmissionState.ENDED, ended_as=state, facts={DOING: "", ENDED: state})
        if state != "completed" and (words := tidy(error_words(self._shown["error"](item)))):
            told.error = told.facts[FAULT] = words
        if self.each is None:
            told.completed, told.failed, told.total = int(state == "completed"), int(state == "failed"), 1
            return told
        return self._counted(told, item)

    def is_live(self, item: Json) -> bool:
        """Whether an item of a list may still change; one whose status is not known may."""
        state = self.state_of(self.status(item))
        return state is None or state in _LIVE

    def _doing(self, item: Json | Reply, word: str) -> str:
        """Such as `calculating 60 %`."""
        stage, share = self._shown["stage"](item), self._shown["progress"].number(item)
        words = cell(word if stage is None else as_text(stage), 40)
        return f"{words} {share:.0f} %" if share is not None and 0 <= share <= 100 else words

    def _counted(self, progress: Progress, item: Json | Reply) -> Progress:
        shown = self._shown
        progress.completed = shown["completed"].count(item)
        progress.failed = shown["failed"].count(item)
        progress.total = shown["total"].count(item)
        return progress


def _inside(said: Json, at: Places) -> Transient | None:
    """What a person is told where no word stands at the place of the status but something that may hold one."""
    source = at.sources[0]
    if isinstance(said, dict) and said:
        names = [cell(name, 30) for name in said]
        words = [name for name in names if isinstance(said.get(name), str)]
        what, place = f"an object with {', '.join(names[:5])}", f"{source}.{(words or names)[0]}"
    elif isinstance(said, list) and said:
        what, place = "a list", f"{source}[0]"
    else:
        return None
    return Transient(
        f"at {at} stands {what}: name the place inside it, such as {place}", kind="status", answered=True
    )


KEPT_LIMIT = 10_000
"""Characters of a text that is kept as an id."""


def kept_of(places: dict[str, Places], reply: Json | Reply) -> dict[str, Json]:
    """What stands at these places, as far as it is an id: short texts and numbers."""
    found = {name: place(reply) for name, place in places.items()}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, str | int | float) and _is_short(value)
    }


def _is_short(value: str | float) -> bool:
    return not isinstance(value, str) or 0 < len(value) <= KEPT_LIMIT


def iso(unix: float) -> str:
    return datetime.fromtimestamp(max(unix, 0.0), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
