"""A data folder with batches of every sort, written by the store itself at pinned times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from batchtui.config import BUILT_IN, BackendConfig, Config
from batchtui.model import BatchSpec, JobRecord, JobState, Json, LimitsSpec, Outcome
from batchtui.store.disk import clock, ranges
from batchtui.store.disk.commit import Committer
from batchtui.store.files.header import BatchHeader
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Draft, Library
from batchtui.store.writer import BatchWriter
from batchtui.tui.app import BatchtuiApp

NOW = 1_795_000_000.0
"""Unix seconds at which every sample is looked at."""


class FakeClock:
    """The time that the store writes."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> str:
        return clock.stamp(self.at)


@contextmanager
def written_at(fake: FakeClock) -> Iterator[None]:
    with mock.patch("batchtui.store.files.journal.now", fake), mock.patch("batchtui.store.writer.now", fake):
        yield


class Sample:
    """Builds one batch step by step; `close` lets go of its lock."""

    def __init__(
        self, library: Library, batch_id: str, name: str, job_ids: Sequence[str], *, backend: str = "openai",
        kind: str | None = None, remote: bool = True, age: float = 3600, limits: LimitsSpec | None = None,
        estimated: float | None = None, model: str | None = None, **flags: Json,
    ) -> None:  # fmt: skip
        self.clock = FakeClock(NOW - age)
        job = {"prompt": "{{ text }}"} | ({"model": model} if model else {})
        draft = Draft(library, batch_id) if library.batches_dir.is_dir() else _first(library, batch_id)
        for n, job_id in enumerate(job_ids):
            draft.jobs.add(JobRecord(n=n, id=job_id, row={"text": f"row {n}"}))
        header = BatchHeader(
            id=batch_id, name=name, backend=backend, kind=kind or backend, remote=remote, created=self.clock(),
            total=len(job_ids), spec=BatchSpec(name=name, backend=backend, job=job,
            limits=limits or LimitsSpec()), template={"prompt": "{{ text }}"}, template_hash="0", base=str(library.data_dir),
            estimated_usd=estimated, **flags,
        )  # fmt: skip
        self.ids = list(job_ids)
        self.folder = draft.keep(header)
        self._committer = Committer()
        with written_at(self.clock), mock.patch("batchtui.store.writer.os.getpid", return_value=4121):
            self.writer = BatchWriter(self.folder, self._committer, lambda _: None)
        self._sub = 0

    def record(self, event: str, **facts: Json) -> None:
        with written_at(self.clock):
            self.writer.record(event, **facts)

    def submit(self, first: int, end: int, remote_id: str | None = "batch_68f1") -> None:
        self._sub += 1
        backend = self.folder.header.backend
        self.record(
            "intent",
            sub=self._sub,
            token=f"t{self._sub}",
            jobs=ranges.encode(range(first, end)),
            backend=backend,
        )
        if remote_id:
            self.record("submitted", sub=self._sub, remote_id=remote_id)

    def poll(self, state: str, completed: int = 0, failed: int = 0) -> None:
        self.record("poll", sub=self._sub, state=state, completed=completed, failed=failed)

    def start(self, n: int, tries: int = 1) -> None:
        self.record("start", n=n, **{"try": tries})

    def finish(
        self,
        n: int,
        state: JobState = JobState.COMPLETED,
        *,
        tries: int = 1,
        took: float = 2.0,
        **outcome: Json,
    ) -> None:
        fields: dict[str, Json] = {"input_tokens": 120, "output_tokens": 40, "cost_usd": 0.0004} | outcome
        started = self.clock()
        self.clock.at += took
        extra = {"sub": self._sub} if self._sub else {}
        with written_at(self.clock):
            self.writer.store(n, tries, self.ids[n], Outcome(state=state, **fields), started=started, **extra)

    def end(self) -> None:
        if self._sub:
            self.record("poll", sub=self._sub, state="ended", ended_as="completed")
            self.record("collected", sub=self._sub)
        self.record("ended")

    def close(self) -> BatchFolder:
        self.writer.close()
        self._committer.stop()
        return self.folder


def _first(library: Library, batch_id: str) -> Draft:
    library.draft().discard()
    return Draft(library, batch_id)


def sample_library(path: Path) -> Library:
    """Eight batches: running here and remotely, ended well and badly, unsure, paused, pending and archived."""
    library = Library(path)
    ids = [f"a1-{n:05}" for n in range(1200)]

    s = Sample(library, "k7fq2m", "eval-may-full", ids, backend="anthropic", age=5400, estimated=4.1,
               limits=LimitsSpec(cost_usd=5.0, time="23h"))  # fmt: skip
    s.submit(0, 600, "msgbatch_01HkcTjaV5uDC8jWR4ZsDV8d")
    s.poll("ended")
    for n in range(600):
        bad = n % 97 == 5
        s.clock.at += 3
        if bad:
            s.finish(
                n,
                JobState.FAILED,
                took=0,
                error_kind="rate_limit",
                error=f"429 rate limited, retry after {n} s",
                cost_usd=None,
            )
        else:
            s.finish(
                n, took=0, raw_response=f"The site produces {n}.1 GWh in the first year, with losses of 3 %."
            )
    s.record("collected", sub=1)
    s.submit(600, 1200, "msgbatch_01MkbUwbV5uDC8jWR4ZsDV9e")
    s.poll("processing", 128, 2)
    s.close()

    s = Sample(library, "b3xw9t", "site-sweep", [f"site-{n}" for n in range(64)], backend="daly", age=9000)
    s.submit(0, 64, "run-5512")
    for n in range(48):
        s.finish(
            n, took=110, output={"annual_mwh": 4100 + n}, cost_usd=None, input_tokens=None, output_tokens=None
        )
    s.poll("processing", 48)
    s.close()

    s = Sample(
        library,
        "c9m4hn",
        "n-1-contingency",
        [f"line-{n}" for n in range(40)],
        backend="local",
        remote=False,
        age=86400,
        estimated=0.0,
    )
    for n in range(40):
        s.start(n)
        state = JobState.FAILED if n in (7, 31) else JobState.COMPLETED
        s.finish(n, state, took=0.4, output={"overloads": n % 3} if state is JobState.COMPLETED else None, cost_usd=None,
                 error="power flow did not converge after 30 iterations" if state is JobState.FAILED else None,
                 error_kind="diverged" if state is JobState.FAILED else None,
                 input_tokens=None, output_tokens=None)  # fmt: skip
    s.end()
    s.close()

    s = Sample(library, "d5r8vz", "tox-labels", [f"post-{n}" for n in range(500)], backend="openai", age=7200)
    s.submit(0, 500, None)
    s.record("unsure", sub=1, reason="the reply to the create call was lost")
    s.record("attention", kind="unsure", sub=1, actions=["resend", "adopt", "abandon"],
             text="submission 1: openai may have made it, but its answer was lost and it cannot be found")  # fmt: skip
    s.close()

    s = Sample(
        library,
        "e2t6pk",
        "summaries",
        [f"doc-{n}" for n in range(2000)],
        backend="gemini",
        age=600,
        estimated=0.8,
    )
    s.close()

    s = Sample(library, "f4y7sc", "chat-smoke", [f"q{n}" for n in range(30)], backend="chat", remote=False, age=900, paused=True,
               limits=LimitsSpec(cost_usd=1.0))  # fmt: skip
    for n in range(10):
        s.start(n)
        s.finish(n, JobState.INVALID if n == 3 else JobState.COMPLETED, took=1.4, raw_response="42\nbecause of the question",
                 error='answer: "42" is not of type "object"' if n == 3 else None,
                 error_kind="schema" if n == 3 else None)  # fmt: skip
    s.close()

    s = Sample(
        library,
        "g8u3jd",
        "invoices-2026-10",
        [f"inv-{n:03}" for n in range(120)],
        backend="openai",
        age=172800,
    )
    s.submit(0, 120, "batch_6710c1f0a9")
    for n in range(120):
        s.finish(n, took=6, raw_response=f"Total {n * 3}.50 EUR")
    s.end()
    s.close()

    s = Sample(library, "h6v5ra", "old-run", ["a", "b"], backend="openai", age=2_592_000, archived=True)
    s.submit(0, 2, "batch_old")
    s.finish(0, raw_response="x")
    s.finish(1, raw_response="y")
    s.end()
    s.close()
    return library


def sample_config(path: Path, *kinds: str) -> Config:
    names = kinds or ("openai", "anthropic", "daly", "local", "chat")
    backends = {
        name: BackendConfig(name=name, kind=name, table={"kind": name}, origin=BUILT_IN) for name in names
    }
    return Config(path=path / "config" / "config.toml", backends=backends)


def app_over(
    library: Library, *, worker: bool = False, now: Callable[[], float] = lambda: NOW, **options: Json
) -> BatchtuiApp:
    """The app over these batches; without a worker it only reads."""
    return BatchtuiApp(sample_config(library.data_dir), library.data_dir, worker=worker, now=now, **options)
