"""How far a batch has come: a pure fold over its journal, kept in columns so that a million jobs stay small.

Every figure is a function of the stored lines. `apply` may see an event twice only where that changes nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

from batchtui.amounts import NANO
from batchtui.model import JOB_STATES, Attention, JobState, Json, SubmissionState
from batchtui.store.disk import ranges
from batchtui.store.files import journal
from batchtui.store.files.journal import Event
from batchtui.store.fold.submissions import SubmissionRecord as SubmissionRecord
from batchtui.store.fold.submissions import kind_in_old_words

CODE = {state: code for code, state in enumerate(JOB_STATES)}
PENDING, PROCESSING = CODE[JobState.PENDING], CODE[JobState.PROCESSING]


class Progress:
    """Columns by job number (state, attempts, offset of the counting result) and what stands beside them."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.states = bytearray(total)
        self.tries = array("H", bytes(2 * total))
        self.fails = bytearray(total)
        self.offsets = array("q", [-1]) * total
        self.errors: dict[int, str] = {}
        """`kind: first line` of jobs that failed, or whose last attempt did."""
        self.keyed: set[int] = set()
        """Jobs whose counting result holds a key."""
        self.traces: dict[int, dict[str, Json]] = {}
        """What attempts in flight left for us to find (process ids)."""
        self.submissions: dict[int, SubmissionRecord] = {}
        self.attention: dict[tuple[str, int | None], Attention] = {}
        self.header: dict[str, Json] = {}
        """The batch's header by its changes, the newest at `header_seq`."""
        self.header_seq = 0
        self.seq = 0
        self.results_end = 0
        self.inbox_end = 0
        self.maybe_twice = 0
        self.cost_nano = 0
        self.priced = False
        self.unpriced = 0
        """Results whose tokens were counted, and of which nobody knows what they cost."""
        self.tokens_in = 0
        self.tokens_out = 0
        self.started: str | None = None
        self.ended: str | None = None
        self.last_time: str | None = None
        self._interned: dict[str, str] = {}

    # ---- reading

    def count(self, state: JobState) -> int:
        return self.states.count(CODE[state])

    def counts(self) -> dict[JobState, int]:
        return {state: self.states.count(code) for code, state in enumerate(JOB_STATES)}

    @property
    def live(self) -> int:
        return self.states.count(PENDING) + self.states.count(PROCESSING)

    def numbers(self, *states: JobState) -> list[int]:
        """Numbers of the jobs in any of these states, ascending."""
        found: list[int] = []
        for state in states:
            code, at = CODE[state], -1
            while (at := self.states.find(code, at + 1)) >= 0:
                found.append(at)
        return sorted(found) if len(states) > 1 else found

    # ---- folding

    def apply(self, event: Event) -> None:
        """Take one event in. Unknown ones only move the sequence number."""
        self.seq = event["seq"]
        self.last_time = event["time"]
        handler = _HANDLERS.get(event["event"])
        if handler:
            handler(self, event)

    def _set(self, jobs: str, state: JobState) -> None:
        code = CODE[state]
        for first, end in ranges.spans(jobs):
            self.states[first:end] = bytes((code,)) * (end - first)

    def _error(self, n: int, event: Event) -> None:
        self.note_error(n, event.get("error_kind") or "error", event.get("error"))

    def note_error(self, n: int, kind: str | None, words: str | None) -> None:
        """What went wrong with job `n`, or that nothing did."""
        if not kind and not words:
            self.errors.pop(n, None)
            return
        text = f"{kind or 'error'}: {(words or '')[:200]}"
        self.errors[n] = self._interned.setdefault(text, text)

    def _journal(self, event: Event) -> None:
        if event["schema"] > journal.SCHEMA:
            raise ValueError(f"written by a newer batchtui (schema {event['schema']}); update to drive it")

    def _begin(self, event: Event) -> None:
        self.started = self.started or event["time"]
        self.ended = None

    def _start(self, event: Event) -> None:
        n = event["n"]
        self._begin(event)
        self.states[n] = PROCESSING
        self.tries[n] = event["try"]

    def _trace(self, event: Event) -> None:
        self.traces[event["n"]] = event["facts"]

    def _result(self, event: Event) -> None:
        if event["at"] < self.results_end:
            return
        n, state = event["n"], JobState(event["state"])
        submission = self.submissions.get(event.get("sub", -1))
        if submission and self.offsets[n] >= 0 and self.states[n] not in (PENDING, PROCESSING):
            submission.failed = max(
                0, submission.failed - 1
            )  # an answer in place of an error that came before it
        self.results_end = event["at"] + event["len"]
        self.states[n] = CODE[state]
        self.tries[n] = max(self.tries[n], event["try"])
        self.offsets[n] = event["at"]
        (self.keyed.add if event.get("key") else self.keyed.discard)(n)
        self.traces.pop(n, None)
        self.tokens_in += event.get("in") or 0
        self.tokens_out += event.get("out") or 0
        cost = event.get("cost")
        if cost is None:
            self.unpriced += bool(event.get("in") or event.get("out"))
        else:
            self.cost_nano += round(cost * NANO)
            self.priced = True
        if event.get("error") or event.get("error_kind"):
            self._error(n, event)
        else:
            self.errors.pop(n, None)
        if submission:
            if state is JobState.COMPLETED:
                submission.completed += 1
            else:
                submission.failed += 1
                submission.first_error = submission.first_error or self.errors.get(n)
            if cost is not None:
                submission.cost_nano += round(cost * NANO)
                submission.priced = True

    def _retry(self, event: Event) -> None:
        n = event["n"]
        self.states[n] = PENDING
        self.traces.pop(n, None)
        if event.get("counts", True):
            self.fails[n] = min(255, self.fails[n] + 1)
        if event.get("maybe_twice"):
            self.maybe_twice += 1
        self._error(n, event)

    def _mark(self, event: Event) -> None:
        state = JobState(event["state"])
        self._set(event["jobs"], state)
        self.maybe_twice += event.get("maybe_twice", 0)
        fresh = event.get("fresh", False)
        for n in ranges.decode(event["jobs"]):
            self.traces.pop(n, None)
            if event.get("gone"):
                self.offsets[n] = -1
                self.keyed.discard(n)
            if fresh:
                self.fails[n] = 0
                self.errors.pop(n, None)
            elif event.get("error_kind"):
                self._error(n, event)
        if fresh:
            self.ended = None

    def _lost(self, event: Event) -> None:
        self._set(event["jobs"], JobState.PENDING)
        self.maybe_twice += ranges.count(event["jobs"])
        for n in ranges.decode(event["jobs"]):
            self.traces.pop(n, None)

    def _born(self, event: Event) -> None:
        """Jobs that only the backend knew of, each already tried once in this submission."""
        more = max(0, event["total"] - self.total)
        self.total += more
        self.states.extend(bytes(more))
        self.tries.extend([0] * more)
        self.fails.extend(bytes(more))
        self.offsets.extend([-1] * more)
        self._set(event["jobs"], JobState.PROCESSING)
        for n in ranges.decode(event["jobs"]):
            self.tries[n] = 1
        submission = self.submissions[event["sub"]]
        submission.jobs = ",".join(filter(None, (submission.jobs, event["jobs"])))

    def _added(self, event: Event) -> None:
        """Jobs that a person gave after the batch was made."""
        more = max(0, event["total"] - self.total)
        self.total += more
        self.states.extend(bytes((PENDING,)) * more)
        self.tries.extend([0] * more)
        self.fails.extend(bytes(more))
        self.offsets.extend([-1] * more)
        self.ended = None

    # ---- submissions

    def _planned(self, event: Event) -> None:
        """Jobs that are to go together: set aside, and not sent yet."""
        self.submissions[event["sub"]] = SubmissionRecord(
            id=event["sub"],
            backend=event["backend"],
            token=event["token"],
            jobs=event["jobs"],
            created=event["time"],
            account=event.get("account"),
            bytes=event.get("bytes", 0),
            estimated_usd=event.get("estimated_usd"),
            state=SubmissionState.PLANNED,
            attempted=False,
            grows=event.get("grows", False),
            early=event.get("early", False),
            seed=event.get("seed"),
        )

    def _unplanned(self, event: Event) -> None:
        self.submissions.pop(event["sub"], None)

    def _intent(self, event: Event) -> None:
        self._begin(event)
        jobs = event["jobs"]
        self._set(jobs, JobState.PROCESSING)
        if event["sub"] not in self.submissions:
            self._planned(event)
        known = self.submissions[event["sub"]]
        known.state, known.reason, known.created = SubmissionState.SENDING, None, event["time"]
        known.estimated_usd = event.get("estimated_usd", known.estimated_usd)
        if not known.attempted:  # else the same slice again, after it was surely not made
            known.attempted = True
            for first, end in ranges.spans(jobs):
                for n in range(first, end):
                    self.tries[n] += 1

    def _adopted(self, event: Event) -> None:
        """A submission that was made elsewhere lives under this remote id."""
        self._intent(event)
        self._submitted(event)

    def _note(self, event: Event) -> None:
        self.submissions[event["sub"]].facts.update(event["facts"])

    def _submitted(self, event: Event) -> None:
        submission = self.submissions[event["sub"]]
        submission.state, submission.reason = SubmissionState.SUBMITTED, None
        if submission.remote_id not in (None, event["remote_id"]):
            submission.reason = f"was {submission.remote_id} before"
        submission.remote_id, submission.submitted = event["remote_id"], event["time"]
        self.attention.pop(("unsure", submission.id), None)

    def _answered(self, event: Event) -> None:
        """Its create did the work at once, and was answered with the result."""
        submission = self.submissions[event["sub"]]
        submission.state, submission.reason = SubmissionState.ENDED, None
        submission.answer, submission.ended_as = event["file"], "completed"
        submission.submitted = submission.ended = event["time"]
        self.attention.pop(("unsure", submission.id), None)

    def _waiting(self, event: Event) -> None:
        submission = self.submissions[event["sub"]]
        submission.state, submission.reason = SubmissionState.WAITING, event.get("reason")
        submission.reason_kind = event.get("kind") or kind_in_old_words(submission.reason or "")
        submission.estimated_usd = event.get("estimated_usd", submission.estimated_usd)
        self._set(submission.jobs, JobState.PENDING)
        self.attention.pop(("unsure", submission.id), None)

    def _unsure(self, event: Event) -> None:
        submission = self.submissions[event["sub"]]
        submission.state, submission.reason = SubmissionState.UNSURE, event.get("reason")
        submission.unnamed += bool(event.get("answered"))

    def _poll(self, event: Event) -> None:
        submission = self.submissions[event["sub"]]
        ended_before = submission.state is SubmissionState.ENDED
        submission.state = SubmissionState(event["state"])
        submission.ended_as = event.get("ended_as") or submission.ended_as
        counted = {key: event.get(key) for key in ("completed", "failed", "total")}
        submission.counted = {key: count for key, count in counted.items() if count is not None}
        submission.first_error = submission.first_error or event.get("error")
        submission.expires = event.get("expires")
        submission.facts.update(event.get("facts") or {})
        if ended_before:
            return  # asked again while its results were not whole: what is stored counts
        if submission.state is SubmissionState.ENDED:
            submission.ended = event["time"]
        if submission.grows or submission.early:
            return  # counted by the stored results, which come while it runs
        if submission.state is not SubmissionState.ENDED:
            submission.completed = event.get("completed") or 0
            submission.failed = event.get("failed") or 0
        else:
            submission.completed = submission.failed = 0  # from here on counted by the stored results

    def _uncollected(self, event: Event) -> None:
        """Its results are not whole: why, until they are."""
        self.submissions[event["sub"]].reason = event["reason"]

    def _recollect(self, event: Event) -> None:
        """A person wants these jobs' answers fetched once more; nothing is sent for that."""
        submission = self.submissions[event["sub"]]
        submission.state, submission.reason, submission.homing = SubmissionState.ENDED, None, True
        self.ended = None
        self._set(event["jobs"], JobState.PROCESSING)
        for n in ranges.decode(event["jobs"]):
            if self.offsets[n] >= 0:  # an answer that could not be read counts no more
                submission.failed = max(0, submission.failed - 1)

    def _cancel_asked(self, event: Event) -> None:
        self.submissions[event["sub"]].cancel_asked = True

    def _collected(self, event: Event) -> None:
        submission = self.submissions[event["sub"]]
        submission.state, submission.homing = SubmissionState.COLLECTED, False
        self.maybe_twice += event.get("maybe_twice", 0)
        if event.get("again"):  # nothing more comes of it: its open jobs are sent anew
            submission.seed = None
            for n in ranges.decode(submission.jobs):
                if self.states[n] == PROCESSING:
                    self.states[n] = PENDING
        for n in ranges.decode(
            event.get("retried", "")
        ):  # with the end of the attempt, so that none is counted twice
            if self.states[n] == PROCESSING:
                self.states[n] = PENDING
                self.fails[n] = min(255, self.fails[n] + 1)
                self._error(n, event)
        submission.reason = event.get("reason")
        submission.ended = submission.ended or event["time"]
        self.attention = {key: a for key, a in self.attention.items() if key[1] != submission.id}

    # ---- the rest

    def _header(self, event: Event) -> None:
        self.header.update(event["set"])
        self.header_seq = event["seq"]

    def _attention(self, event: Event) -> None:
        item = Attention(
            kind=event["kind"],
            text=event["text"],
            since=event["time"],
            actions=tuple(event.get("actions") or ()),
            submission=event.get("sub"),
            limit_usd=event.get("limit_usd"),
        )
        self.attention.setdefault((item.kind, item.submission), item)

    def _settled(self, event: Event) -> None:
        self.attention.pop((event["kind"], event.get("sub")), None)

    def _inbox(self, event: Event) -> None:
        self.inbox_end = event["upto"]

    def _ended(self, event: Event) -> None:
        self.ended = event["time"]


_HANDLERS: dict[str, Callable[[Progress, Event], None]] = {
    "journal": Progress._journal,
    "header": Progress._header,
    "start": Progress._start,
    "trace": Progress._trace,
    "result": Progress._result,
    "retry": Progress._retry,
    "mark": Progress._mark,
    "lost": Progress._lost,
    "born": Progress._born,
    "added": Progress._added,
    "planned": Progress._planned,
    "unplanned": Progress._unplanned,
    "intent": Progress._intent,
    "adopted": Progress._adopted,
    "note": Progress._note,
    "submitted": Progress._submitted,
    "answered": Progress._answered,
    "waiting": Progress._waiting,
    "unsure": Progress._unsure,
    "poll": Progress._poll,
    "uncollected": Progress._uncollected,
    "recollect": Progress._recollect,
    "cancel_asked": Progress._cancel_asked,
    "collected": Progress._collected,
    "attention": Progress._attention,
    "settled": Progress._settled,
    "inbox": Progress._inbox,
    "ended": Progress._ended,
}
