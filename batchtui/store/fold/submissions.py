"""What the journal says of one submission."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from batchtui.model import Json, SubmissionState


@dataclass(slots=True)
class SubmissionRecord:
    """What the journal says of one submission. `jobs` are ranges of job numbers."""

    id: int
    backend: str
    token: str
    jobs: str
    created: str
    account: str | None = None
    bytes: int = 0
    state: SubmissionState = SubmissionState.SENDING
    remote_id: str | None = None
    facts: dict[str, Json] = field(default_factory=dict)
    answer: str | None = None
    """The file in raw/ that holds what its create was answered with, where the work was done at once."""
    reason: str | None = None
    reason_kind: str | None = None
    """What kind of thing the reason of a waiting submission is: `batch`, `day` (money), `queue`, `price`, `bound`, or what
    the backend's fault was."""
    submitted: str | None = None
    ended: str | None = None
    ended_as: str | None = None
    completed: int = 0
    failed: int = 0
    first_error: str | None = None
    estimated_usd: float | None = None
    expires: str | None = None
    cost_nano: int = 0
    priced: bool = False
    cancel_asked: bool = False
    attempted: bool = True
    """Whether it was ever on its way; until then its jobs have no attempt of it."""
    grows: bool = False
    """Whether its jobs are born at the backend."""
    early: bool = False
    """Whether its answers are fetched while others of it still run."""
    counted: dict[str, int] = field(default_factory=dict)
    """What the backend last counted itself: completed, failed, total, as far as it said."""
    unnamed: int = 0
    """Creates that were answered without an id that can be used."""
    homing: bool = False
    """Whether a person had it collected once more."""
    seed: int | None = None
    """Which of the header's seeds it sends; None: none, or that seed is to be sent anew."""

    @property
    def made(self) -> bool:
        """Whether it surely was made: there is something of it to be had."""
        return self.remote_id is not None or self.answer is not None


_OLD_WORDS = (
    ("batch", re.compile(r"[\d.,]+ USD more may be needed, and ")),
    ("queue", re.compile(r"[\d,]+ tokens are enqueued for this model, of ")),
    ("price", re.compile(r"its price is unknown$")),
)


def kind_in_old_words(reason: str) -> str | None:
    """Journals from before reasons had a kind hold it in our own words of then, from the first letter on."""
    return next((kind for kind, words in _OLD_WORDS if words.match(reason)), None)
