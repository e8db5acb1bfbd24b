"""One batch's folder, read: header, progress, jobs and results, kept up with whoever drives it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import msgspec

from batchtui.amounts import NANO
from batchtui.errors import NotFound, StoreDamaged
from batchtui.model import (
    JOB_STATES,
    Attention,
    BatchState,
    BatchStatus,
    JobRecord,
    JobState,
    Json,
    Result,
)
from batchtui.store.disk import clock, ranges
from batchtui.store.files import checkpoint, contacts, header_changes, journal, labels, results
from batchtui.store.files.header import BatchHeader, read_header
from batchtui.store.files.jobs import JobTable, ends_damage
from batchtui.store.files.lock import holder, standing
from batchtui.store.fold import state
from batchtui.store.fold.columns import Columns
from batchtui.store.fold.progress import Progress
from batchtui.store.fold.submission_status import submission_statuses
from batchtui.store.health.strays import is_a_copy
from batchtui.store.home import Home

_IN_BOTH = tuple(name for name in results.StoredResult.__struct_fields__ if name in Result.__struct_fields__)


class BatchFolder:
    """Reads a batch, from any process and any thread. Whoever drives it changes `progress` through a BatchWriter."""

    def __init__(self, path: Path) -> None:
        """Reads the header only. Raises StoreDamaged."""
        self.path = path
        self.header_damage: str | None = None
        """Why the header is shown as the journal has it, where its file cannot be read."""
        self.header: BatchHeader = self._read_header()
        self._header_stamp = self._stat("batch.json")
        self.damage: list[str] = []
        self.lock = threading.Lock()
        self.journal_end = 0
        self._progress: Progress | None = None
        self._jobs: JobTable | None = None
        self._last_event: journal.Event | None = None
        self._results = results.ResultReader(path / "results.jsonl")
        self._home_seen: Home | None = None
        self._strays: str | None = None
        self._labels: tuple[tuple[int, int], labels.Labels] = ((0, 0), labels.Labels())
        self._refused: dict[int, frozenset[int]] = {}
        self.standing: dict[str, Attention] = {}
        """By kind, what this process knows and cannot write down while it lasts: that the disk is full."""
        self.contacts: contacts.Contacts = {}
        """By submission: when the backend last answered, and when it is asked again. Kept by the driver."""

    @property
    def id(self) -> str:
        return self.header.id

    @property
    def progress(self) -> Progress:
        if self._progress is None:
            self._load()
        assert self._progress
        return self._progress

    @property
    def jobs(self) -> JobTable:
        """Read once, and again when more were born. Raises StoreDamaged where a newer version wrote them."""
        table, header = self._jobs, self.header
        least = self._progress.total if header.growing and self._progress is not None else header.total
        if table is None or len(table) < least:
            table = JobTable(self.path / "jobs.jsonl", header.total, growing=header.growing or header.joined)
            self._jobs = table
        return table

    def jobs_damage(self, most_bytes: int | None = None) -> list[str]:
        """What is wrong with the file of its jobs; of one longer than that its two ends alone are looked at."""
        path = self.path / "jobs.jsonl"
        if self._jobs is None and most_bytes is not None and self._stat("jobs.jsonl")[1] > most_bytes:
            return ends_damage(path, growing=self.header.growing or self.header.joined)
        return self.jobs.damage

    def forget_jobs(self) -> None:
        """Their file was changed: read it again when it is needed."""
        self._jobs = None

    def _read_header(self) -> BatchHeader:
        """The header, if it is this folder's own: a copy would be driven beside the batch it was copied from.

        Where its file cannot be read, or is of a newer version, it is what is known of it otherwise.
        """
        try:
            header, self.header_damage = read_header(self.path), None
        except StoreDamaged as fault:
            if (found := header_changes.instead(self.path, fault)) is None:
                raise
            header, self.header_damage = found, str(fault)
        if header.id != self.path.name:
            raise StoreDamaged(
                f'{self.path}/batch.json: is of batch "{header.id[:80]}", not of the folder it lies in'
            )
        return header

    def _stat(self, name: str) -> tuple[int, int]:
        try:
            stat = os.stat(
                f"{self.path}/{name}"
            )  # of each batch each second: a path object costs more than the call
        except FileNotFoundError:
            return (0, 0)
        return (stat.st_mtime_ns, stat.st_size)

    def _load(self) -> None:
        path = self.path / "events.jsonl"
        driven = any((self.path / name).exists() for name in ("results.jsonl", "checkpoint.json"))
        loaded = checkpoint.load(self.path / "checkpoint.json", self.header.total)
        progress, offset = loaded or (Progress(self.header.total), 0)
        size = self._stat(path.name)[1]
        self._progress, self.journal_end, self._last_event = progress, min(offset, size), None
        self.damage = [self.header_damage] if self.header_damage else []
        if offset > size:
            self.damage.append(
                f"{path}: lines at its end are lost: it had {offset:,} bytes, and has {size:,}"
            )
        self._results = results.ResultReader(self.path / "results.jsonl")
        self._follow()
        if driven and progress.seq == 0 and not self.damage:
            self.damage.append(f"{path}: has no line left, though the batch has been driven")
        self._take_in_header(progress)

    def _take_in_header(self, progress: Progress) -> None:
        """A change that reached the journal, and not its file before the machine stopped, counts."""
        if progress.header_seq <= self.header.seq:
            return
        try:
            self.header = header_changes.merged(progress.header, progress.header_seq)
        except msgspec.ValidationError as fault:
            self.damage.append(
                f"{self.path / 'events.jsonl'}: its changes of the header make no sense: {fault}"
            )

    def _follow(self) -> bool:
        """Fold what the journal gained; whether it gained anything."""
        progress, before = self._progress, self.journal_end
        assert progress
        path = self.path / "events.jsonl"
        try:
            for end, events, damage in journal.read_events(path, self.journal_end):
                with self.lock:
                    self.damage += damage
                    self._take_in(progress, events)
                    self.journal_end = end
        except OSError as fault:
            self.damage.append(f"{path}: cannot be read ({fault.strerror})")
        return self.journal_end != before

    def _take_in(self, progress: Progress, events: list[journal.Event]) -> None:
        """Fold the events. Gaps in their sequence, and events that make no sense, are damage."""
        path = self.path / "events.jsonl"
        for event in events:
            if event == self._last_event:
                continue  # the same line twice counts once
            self._last_event = event
            if event.get("event") == journal.RESTORED:
                self._restore(progress, event)
                continue
            try:
                before, seq = progress.seq, event["seq"]
                if seq != before + 1:
                    if type(seq) is not int:
                        raise TypeError("its sequence number is none")
                    if not self.damage:
                        self.damage.append(f"{path}: the sequence goes from {before} to {seq}")
                progress.apply(event)
            except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as fault:
                self.damage.append(f"{path}: event {str(event.get('seq'))[:20]} makes no sense: {fault}")

    def _restore(self, progress: Progress, event: journal.Event) -> None:
        """Take all columns from the event: damage before it is settled."""
        try:
            vars(progress).update(vars(checkpoint.restored(event)))
            progress.apply(event)
        except (LookupError, TypeError, ValueError) as fault:
            self.damage.append(f"{self.path / 'events.jsonl'}: what was restored makes no sense: {fault}")
            return
        self.damage = [self.header_damage] if self.header_damage else []

    def refresh(self) -> bool:
        """Catch up with the driver's files; whether anything changed. Not for the driver itself."""
        changed = False
        stamp = self._stat("batch.json")
        if stamp != self._header_stamp:
            header = self._read_header()
            self.header, self._header_stamp = header, stamp
            if self._progress is not None and self._progress.total != header.total:
                self._progress = None
            changed = True
        size = self._stat("events.jsonl")[1]
        if self._progress is None or size < self.journal_end:  # shorter: another file was put in its place
            self._load()
            return True
        if size != self.journal_end:
            changed |= self._follow()
        return changed

    # ---- what others see

    def state(self) -> BatchState:
        """The batch's state, a function of its jobs and of what was asked."""
        return state.of(self.header, self.progress)

    @property
    def unsown(self) -> list[int]:
        """Seeds that are still to be sent, by their place in the header."""
        return state.unsown(self.header, self.progress)

    @property
    def born(self) -> frozenset[int]:
        """Numbers of the jobs that were born at their backend, where none can be sent again by itself."""
        return state.born(self.progress)

    def deadline(self) -> float | None:
        """Unix seconds at which the time limit ends the batch."""
        return state.deadline(self.header, self.progress)

    def status(self, *, submissions: bool = False) -> BatchStatus:
        progress, header, driver = self.progress, self.header, holder(self.path)
        elsewhere = standing(self.path) if driver else []
        with self.lock:
            counts = progress.counts()
            deadline = self.deadline()
            return BatchStatus(
                id=header.id,
                name=header.name,
                backend=", ".join(header.backends),
                kind=header.kind,
                status=self.state(),
                paused=header.paused,
                attention=[*self.standing.values(), *elsewhere, *progress.attention.values()],
                total=state.total(header, progress),
                pending=counts[JobState.PENDING],
                processing=counts[JobState.PROCESSING],
                completed=counts[JobState.COMPLETED],
                invalid=counts[JobState.INVALID],
                failed=counts[JobState.FAILED],
                expired=counts[JobState.EXPIRED],
                cancelled=counts[JobState.CANCELLED],
                maybe_twice=progress.maybe_twice,
                with_keys=len(progress.keyed),
                cost_usd=progress.cost_nano / NANO if progress.priced else header.charge_free,
                unpriced=progress.unpriced,
                cost_limit_usd=header.spec.limits.cost_usd,
                estimated_usd=header.estimated_usd,
                created=header.created,
                started=progress.started,
                ended=progress.ended,
                deadline=clock.stamp(deadline) if deadline else None,
                expires=state.expires(progress),
                driver=driver,
                tags=header.tags,
                archived=header.archived,
                follows=header.follows or self._copied(),
                damaged=self._results.gone(self.progress.offsets, self.progress.results_end),
                submissions=submission_statuses(
                    progress.submissions.values(),
                    self.contacts or contacts.read(self.path),
                    driver is not None,
                )
                if submissions
                else None,
            )

    def _copied(self) -> str | None:
        """Why it will only follow once somebody drives it; looked at once for each home."""
        if self._home_seen is not self.header.home:
            self._home_seen, self._strays = self.header.home, is_a_copy(self.path, self.header)
        return self._strays

    def columns(self) -> Columns:
        progress = self.progress
        with self.lock:
            return Columns(
                seq=progress.seq,
                states=bytes(progress.states),
                tries=progress.tries.tobytes(),
                offsets=progress.offsets.tobytes(),
                errors=dict(progress.errors),
            )

    def result(self, n: int, columns: Columns | None = None) -> Result:
        """Job `n` with its counting result, or with its state where it has none yet. Raises NotFound, StoreDamaged.

        A stored line that cannot be read is told in `error`, with `error_kind` "damaged": one never hides the others.
        """
        record, lost = self._record(n)
        progress = self.progress
        with self.lock:
            status, tries, offset = JOB_STATES[progress.states[n]], progress.tries[n], progress.offsets[n]
            error = progress.errors.get(n)
        kind, _, text = (error or "").partition(": ")
        stored = None
        if offset >= 0:
            try:
                stored = self._results.at(offset)
            except StoreDamaged as fault:
                kind, text = "damaged", str(fault)
        if stored is None and lost and not kind:
            kind, text = "damaged", lost
        label, label_note = self._labelled(record.id)
        if stored is None:
            return Result(
                job_id=record.id,
                name=record.name,
                status=status,
                attempts=tries,
                error=text or None,
                error_kind=kind or None,
                backend=record.backend or self.header.backend,
                row=record.row,
                body=self._said(n) if kind else None,
                label=label,
                label_note=label_note,
            )
        fields = {name: getattr(stored, name) for name in _IN_BOTH}
        fields |= {"name": record.name, "status": status, "attempts": tries, "row": record.row}
        fields["backend"] = stored.backend or record.backend or self.header.backend
        if lost:
            fields["note"] = "; ".join(filter(None, (stored.note, f"its row is lost: {lost}")))
        return Result(**fields, label=label, label_note=label_note)

    def labels(self) -> labels.Labels:
        """What persons said of its results; read again where that changed."""
        stamp = self._stat(labels.FILE)
        if self._labels[0] != stamp:
            self._labels = (stamp, labels.read(self.path))
        return self._labels[1]

    def _labelled(self, job_id: str) -> tuple[str | None, str | None]:
        said = self.labels().of_jobs.get(job_id)
        return (said.label, said.note) if said else (None, None)

    def _record(self, n: int) -> tuple[JobRecord, str | None]:
        """What jobs.jsonl has of job `n`, and why it is nothing, where its line is damaged. Raises NotFound."""
        try:
            return self.jobs.record(n), None
        except StoreDamaged as fault:
            return JobRecord(n=n, id=self.jobs.ids[n]), str(fault)

    def _said(self, n: int) -> Json:
        """What a backend said of the last submission of job `n` that it refused as a whole."""
        with self.lock:
            refused = [one for one in self.progress.submissions.values() if "said" in one.facts]
        for one in reversed(refused):
            if one.id not in self._refused:
                self._refused[one.id] = frozenset(ranges.decode(one.jobs))
            if n in self._refused[one.id]:
                return one.facts["said"]
        return None

    def number(self, job_id: str) -> int:
        """The number of the job with this id. Raises NotFound."""
        n = self.jobs.number(job_id)
        if n is None:
            raise NotFound(f'batch {self.id}: no job "{job_id}"; `batchtui results {self.id}` lists them')
        return n

    def nameless(self) -> list[int]:
        """Jobs whose line is lost and of which no result tells the id; where one does, the job has it from now on."""
        lost = set(self.jobs.nameless())
        for _, _, stored in results.read_after(self.path / "results.jsonl", 0) if lost else ():
            if stored is not None and stored.n in lost:
                self.jobs.name(stored.n, stored.job_id)
        return self.jobs.nameless() if lost else []

    def attempts(self, n: int) -> list[results.StoredResult]:
        """Every stored result of job `n`, oldest first. Reads the whole file."""
        found = results.read_after(self.path / "results.jsonl", 0)
        return [stored for _, _, stored in found if stored is not None and stored.n == n]

    def events(self) -> list[journal.Event]:
        """The whole journal, for the log."""
        return [e for _, events, _ in journal.read_events(self.path / "events.jsonl") for e in events]


def to_json(value: object) -> object:
    """A status or result as plain JSON types."""
    return msgspec.to_builtins(value)
