"""What a check before sending found: how much a batch is, what it may cost, what it does that a person agrees to first.

`Preflight` is a promise: its field names are what `check --json` prints.
"""

from __future__ import annotations

import msgspec

from batchtui.model import Json, LimitsSpec, Problem


class BackendShare(msgspec.Struct, kw_only=True):
    """What one backend of a batch would be given; a direct one gets no submissions but one call a job."""

    backend: str
    kind: str
    jobs: int = 0
    submissions: int = 0
    cost_usd: float | None = None
    at_once: str = ""
    """How much of it runs at once, where the batch's limits do not say it alone."""
    sent_as: str = ""
    """What its submissions are there: how many arrays of how many elements on a cluster, and why so many."""
    needs: list[str] = []
    """What must be there where its jobs run, where that is another place than this."""


class Run(msgspec.Struct, kw_only=True):
    """A program or a function that a batch file says to run: the keys of its `[job]` as they stand there."""

    backend: str
    template: dict[str, Json]
    first: Json = None
    """The program with its arguments, or the function, of the first job."""
    by_rows: list[Json] = []
    """Where rows name what is run: all that they name, each once."""


class Upload(msgspec.Struct, kw_only=True):
    """Files that a batch file says to send to a backend, by the key of its `[job]` as it stands there."""

    backend: str
    address: str | None = None
    template: dict[str, Json]
    first: str = ""


class Consent(msgspec.Struct, kw_only=True):
    """What a person is asked about before a batch file from elsewhere is obeyed. `agreed`: it was, and is not asked."""

    runs: list[Run] = []
    uploads: list[Upload] = []
    variables: list[str] = []
    """Variables of our environment, perhaps keys, that its jobs are handed."""
    reads: list[str] = []
    """Folders outside its own, and files there that rows come from."""
    runs_in: list[str] = []
    writes: list[str] = []
    agreed: bool = False


class Preflight(msgspec.Struct, kw_only=True):
    """What `check` found; `first`, `longest` and `last` are jobs as they would be sent."""

    name: str = ""
    backend: str | None = None
    kind: str | None = None
    jobs: int = 0
    submissions: int = 0
    backends: list[BackendShare] = []
    """Jobs and submissions by backend; one entry for most batches."""
    bytes: int = 0
    tokens_in: int = 0
    tokens_out_max: int | None = None
    """The most that all answers together can have; None where nothing bounds them."""
    tokens_out_unset: int = 0
    """Jobs that name no `max_tokens`: the model's own most is what bounds them, where that is known."""
    cost_usd: float | None = None
    """What it is likely to cost; `cost_max_usd` is the most it may, which is reserved as it is sent."""
    cost_max_usd: float | None = None
    limits: LimitsSpec = msgspec.field(default_factory=LimitsSpec)
    output: str | None = None
    """The folder that results are written to."""
    columns: list[str] = []
    unused: list[str] = []
    """Columns that no template, id or filter names."""
    duplicates: int = 0
    problems: list[Problem] = []
    consent: Consent | None = None
    """What `run` asks about first; None where there is nothing."""
    first: Json = None
    longest: Json = None
    last: Json = None

    @property
    def stopped(self) -> bool:
        return any(problem.fatal for problem in self.problems)
