"""The contract of a backend: what the engine asks of every kind, and what a kind may answer.

A kind is one class in one file. `Direct` kinds do one job at a time and the engine owns concurrency, timeouts and
retries; `Remote` kinds take a submission of many jobs, at most once. Classes are constructed without I/O; the
methods run on the worker's event loop.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import msgspec

from batchtui.backends.attachments.rules import FileRules
from batchtui.backends.faults import LOADING as LOADING
from batchtui.backends.faults import Forgotten as Forgotten
from batchtui.backends.faults import NeedsPerson as NeedsPerson
from batchtui.backends.faults import Refused as Refused
from batchtui.backends.faults import Transient as Transient
from batchtui.backends.faults import TryLater as TryLater
from batchtui.backends.faults import Unsure as Unsure
from batchtui.backends.places import Found as Found
from batchtui.backends.places import Probe as Probe
from batchtui.backends.places import RemoteBatch as RemoteBatch
from batchtui.backends.places import RemoteJob as RemoteJob
from batchtui.backends.settings import BackendSettings as BackendSettings
from batchtui.backends.settings import KindLimits as KindLimits
from batchtui.backends.shapes import DOING as DOING
from batchtui.backends.shapes import LOGS as LOGS
from batchtui.backends.shapes import SAID as SAID
from batchtui.backends.shapes import Answer as Answer
from batchtui.backends.shapes import Answered as Answered
from batchtui.backends.shapes import Job as Job
from batchtui.backends.shapes import Note as Note
from batchtui.backends.shapes import Progress as Progress
from batchtui.backends.shapes import Submission as Submission
from batchtui.backends.shapes import W as W
from batchtui.backends.uses import PathUse as PathUse
from batchtui.catalog import Card
from batchtui.model import Json, LimitsSpec, Outcome
from batchtui.text import Secret

if TYPE_CHECKING:
    from batchtui.backends.http import Http

S = TypeVar("S", bound=BackendSettings)


@dataclass(slots=True)
class Setup(Generic[S]):
    """What a backend is built from. `key` is None where none is configured or needed."""

    name: str
    settings: S
    key: Secret | None = None
    connect: Callable[[], Http] | None = None
    """Makes the HTTP transport on first use, in the worker's loop; kinds without a network never call it."""
    key_variables: frozenset[str] = frozenset()
    """Variables of our environment that hold keys: what runs on this machine is started without them."""


class Backend(ABC, Generic[W]):
    """A configured place where jobs run. Subclass `Direct` or `Remote`."""

    kind: ClassVar[str]
    summary: ClassVar[str]
    """One line for pickers and help."""
    card: ClassVar[Card | None] = None
    """What is known of the kind without importing this class, which takes its name, summary and key's variable from it;
    a plug-in may do without."""
    Settings: ClassVar[type[BackendSettings]] = BackendSettings
    Work: ClassVar[type[msgspec.Struct]]
    key_env: ClassVar[str | None] = None
    """The usual environment variable of the key; a backend exists by itself where it is set."""
    key_required: ClassVar[bool] = False
    remote: ClassVar[bool]
    paid: ClassVar[bool] = False
    """Whether a job costs money each time it is sent, so that the same work is not sent twice without a word."""
    untold_cost: ClassVar[bool] = False
    """Whether its jobs may cost money of which nothing tells how much: their cost is unknown, never 0."""
    fails_singly: ClassVar[bool] = False
    """Whether a job of a program's batch that `check` refuses fails by itself while the others are sent.

    Its `line` and `describe` then stand for any job, and `submit` refuses it once more.
    """
    native_schema: ClassVar[bool] = False
    """Whether a job's JSON Schema goes by a field of the protocol; else it goes by prompt (`prompts.schema`)."""
    path_fields: ClassVar[Mapping[str, PathUse]] = {}
    """Keys of `[job]` that hold a path or a list of them, and what is done there: a batch file from elsewhere may not
    lead out of its folder by them, nor upload what they name, before a person agrees."""
    run_fields: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Keys of `[job]` that say what is run, a program with its arguments or a function, each with the keys that go
    along with it: both are shown to a person before what a batch file from elsewhere says is run."""

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if "card" in vars(cls) and cls.card:
            cls.kind, cls.summary, cls.key_env = cls.card.name, cls.card.summary, cls.card.key_env

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        self.name = setup.name
        self.setup = setup

    @property
    def limits(self) -> KindLimits:
        return KindLimits()

    def limits_of(self, template: dict[str, Json]) -> KindLimits:
        """The limits where the defaults depend on the work. `template` is a `[job]` that is not rendered yet."""
        return self.limits

    @classmethod
    def request_headers(cls, settings: BackendSettings, key: str | None) -> dict[str, str]:
        """How the key goes on the wire."""
        return {"Authorization": f"Bearer {key}"} if key else {}

    def account(self) -> str:
        """A fingerprint of who pays: kind, address and key, hashed."""
        key = self.setup.key.reveal() if self.setup.key else ""
        text = "\0".join((self.kind, self.setup.settings.base_url or "", key))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def check(self, job: Job[W]) -> list[tuple[str, str]]:
        """What is wrong with a job before anything is sent: (key, message) pairs, empty where all is well."""
        return []

    def notices(self, job: Job[W]) -> list[tuple[str, str]]:
        """What is worth a word before a job runs, such as why it is sure to fail: (key, message) pairs.

        Asked of jobs that `check` finds nothing wrong with; they run all the same.
        """
        return []

    def left_out(self, job: Job[W]) -> list[tuple[str, str]]:
        """Fields that were asked for and are not sent, with why: (key, words) pairs. Asked as `notices` is."""
        return []

    def at_once(self, limits: LimitsSpec) -> str:
        """How much of a batch of these limits runs at once, in words; empty where the limits alone say it.

        Of a remote kind empty too where it makes nothing of `concurrency`, which is then told.
        """
        return ""

    def needs(self, job: Job[W]) -> list[str]:
        """What must be there where the job runs, in words, where that is another place than this."""
        return []

    def file_rules(self) -> FileRules | None:
        """Which files a job may bring, and whether they can be cited. None: no files here."""
        return None

    def handed_over(self, work: W) -> list[str]:
        """Names of variables of our environment that a job is given by its own `[job]`; of keys, perhaps."""
        return []

    def describe(self, job: Job[W]) -> Json:
        """The job as it would be sent, for the preview; never a key."""
        return msgspec.to_builtins(job.work)

    def tokens(self, job: Job[W]) -> tuple[int, int]:
        """Estimated tokens (in, out at most); zeros where the kind has none."""
        return (0, 0)

    def answers(self, job: Job[W]) -> int:
        """How many answers a job asks for, each as long as the model's may be; 0 where none is written.

        With it a job is weighed whose `tokens` do not bound what is written.
        """
        return 1

    def bounded(self, work: W, most: int) -> W:
        """The work so that no answer of it is longer than `most` tokens; as it is where the kind has no such bound."""
        return work

    def model(self, job: Job[W]) -> str | None:
        """The model a job names, for its price."""
        return None

    def label(self, job: Job[W]) -> str | None:
        """What people call the job, where that is not its id."""
        return None

    async def probe(self) -> Probe:
        return Probe(ok=True, message="ready")

    async def close(self) -> None:
        """Let go of connections and processes."""


class Direct(Backend[W]):
    """One job at a time, at least once: a job without a stored result is run again after a crash.

    An instance serves one batch.
    """

    remote = False
    timeouts_pass: ClassVar[bool] = True
    """Whether a job that ran out of time is tried again, within its retries."""
    times_itself: ClassVar[bool] = False
    """Whether `run` keeps to `Job.timeout` itself, from when the job is really under way."""

    def hands_over(self, concurrency: int) -> int:
        """How many jobs are given to `run` at once, where `concurrency` is how many may really be under way.

        A kind that gathers jobs takes more, and keeps to `concurrency` itself.
        """
        return concurrency

    def notes_first(self, template: dict[str, Json]) -> bool:
        """Whether every attempt is noted before it begins, so that one without a note did nothing yet."""
        return False

    def use_output(self, folder: Path | None, earlier: Sequence[Path] = ()) -> None:
        """The batch's output folder, before the first `run`: for kinds whose work writes files of its own.

        `earlier` are folders of other batches that may hold results of the same inputs.
        """

    def use_run_dir(self, path: Path) -> None:
        """The folder in which this batch's running work may keep its files; made when needed."""

    @abstractmethod
    async def run(self, job: Job[W], note: Note) -> Outcome:
        """Do the job. An outcome of state failed is final; raises Transient, TryLater, Refused or NeedsPerson.

        Cancellation of the task must stop the work (end the process, drop the connection) before it returns.
        """

    async def settle(self, traces: Sequence[dict[str, Json]]) -> None:
        """After a crash: end or await what earlier attempts (their notes) may have left running."""


class Remote(Backend[W]):
    """Many jobs in a submission, at most once."""

    remote = True
    grows: ClassVar[bool] = False
    """Whether a job only says what to start: it goes by itself, the jobs that come of it are born at the backend.

    They join the batch as `jobs` shows them, and each answer is fetched as soon as it is there.
    """
    early: ClassVar[bool] = False
    """Whether `results` has the answers of jobs that ended while others of their submission still run."""
    cancels_jobs: ClassVar[bool] = False
    """Whether single jobs of a submission can be cancelled while the others go on (`cancel_jobs`)."""

    kept_files: ClassVar[tuple[str, ...]] = ()
    """How the names of the files of lines begin that `results` keeps, where `read_kept` reads them again."""
    lists_tokens: ClassVar[bool] = True
    """Whether `list` tells the token of a submission of ours, or how to read it: one which a store does not know is found."""
    names_jobs: ClassVar[bool] = True
    """Whether answers carry ids that our jobs can be told by, also of a submission whose token is not known."""
    leaves_files: ClassVar[bool] = False
    """Whether its submissions leave files that stored results point at.

    `tidy` then waits until the batch has ended and its output is written, and `discard` is asked when it is deleted.
    """

    def at_once(self, limits: LimitsSpec) -> str:
        if not self.limits.job_each or limits.concurrency is None:
            return ""
        most = min(limits.concurrency, limits.submissions_at_once or limits.concurrency)
        return f"{most:,} job{'s' * (most != 1)}"

    async def learn(self) -> None:
        """Ask what `limits` depend on, before jobs are put together. It takes seconds at most, and raises nothing."""

    def sent_as(self, job: Job[W], jobs: int, submissions: int) -> str:
        """In words, what so many submissions are there, the largest of `jobs`; empty where there is no more to say."""
        return ""

    @abstractmethod
    def group(self, job: Job[W]) -> str:
        """Jobs of one group may share a submission."""

    def wire_id(self, index: int, job_id: str, token: str) -> str:
        """The job's id as the backend takes it in the submission of this token (see `wire.ids`); answers carry it."""
        return job_id

    @abstractmethod
    def line(self, job: Job[W]) -> bytes:
        """The job as it stands in a submission, its bytes counted against the limit."""

    @abstractmethod
    async def submit(self, submission: Submission, jobs: Iterable[Job[W]], note: Note) -> str | Answered:
        """Send once; answers the remote id, or what came where that was the result already.

        Raises Refused, TryLater, NeedsPerson (nothing was made) or Unsure.
        """

    @abstractmethod
    async def find(self, submission: Submission) -> Found:
        """Look up a possibly made submission by its token. Raises Transient where the backend cannot be asked."""

    @abstractmethod
    async def poll(self, submissions: Sequence[Submission]) -> Mapping[int, Progress | Transient]:
        """Progress by submission id, in as few calls as the backend allows. Raises Transient, TryLater, NeedsPerson.

        One that the backend no longer knows has ended as "forgotten"; why one alone cannot be told stands in its place.
        """

    @abstractmethod
    def results(
        self, submission: Submission, keep: Callable[[str, bytes], None] | None
    ) -> AsyncIterator[Answer]:
        """Stream the answers of an ended submission, in any order. `keep(name, chunk)` takes the words as they came.

        A normal end is the backend's word that the body was whole. Raises Transient for one that is not: empty, cut,
        not there (404), of another length than it should have. Raises TryLater, NeedsPerson, Refused, and Forgotten
        where the backend says that it holds the results no more; asked again, it starts over.
        """

    def read_kept(self, line: bytes, place: str) -> Answer | None:
        """The answer in a line of a file of `kept_files`."""
        return None

    @abstractmethod
    async def cancel(self, submission: Submission) -> None:
        """Ask; final only when a poll says so."""

    async def cancel_jobs(self, submission: Submission, numbers: Sequence[int]) -> None:
        """Ask for the end of some of its jobs, by their index; the rest goes on. Raises as cancel."""

    async def jobs(self, submission: Submission) -> AsyncGenerator[RemoteJob, None]:
        """The jobs of a submission, from what the backend kept of its input, in its order.

        Raises Forgotten where it keeps none, else as poll.
        """
        raise Forgotten(f"{self.kind} gives no input back")
        yield  # makes it a generator

    async def tidy(self, submission: Submission) -> None:
        """Delete the files of a submission of ours whose results are stored, where the config asks for that."""

    async def discard(self, submission: Submission) -> str:
        """Its batch is deleted: delete what it left, unless something still runs. What stays, and why; else empty."""
        return ""

    async def list(self) -> Sequence[RemoteBatch]:
        """What lives there."""
        return []
