"""The id under which a job goes to a provider: `<8 hex>-<job id>`, so that an answer of another batch is never ours."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Collection

PLANNED_TOKEN = "planned-00000000"
"""Stands for the token of a submission that is not made yet, so that lines have their size."""
ADOPTED_TOKEN = "adopted"
"""Stands for the token of a submission that was made elsewhere, whatever ids it uses."""
_MANY, _DRAWS = 1000, 100
"""Submissions of a batch from which on two may end alike: their whole tokens differ by the submission's number."""
_TAIL = re.compile(r"-([0-9a-f]{8})\Z")
_FOREIGN = re.compile(r"[0-9a-f]{8}(?:-(?P<id>.+)|_(?P<n>\d{1,9}))", re.DOTALL)
_NUMBERED = re.compile(r"job-\d+")


def new_token(batch_id: str, submission: int, taken: Collection[str]) -> str:
    """A token for a submission of a batch; `taken` are those of its others.

    Of its last 8 hex digits four are drawn, and four follow from them and the batch's id: where a backend shows nothing
    else of ours, they still say of which batch it is.
    """
    used = {token[-8:] for token in taken} if len(taken) < _MANY else set()
    for _ in range(_DRAWS):
        drawn = secrets.token_hex(2)
        mark = drawn + _following(batch_id, drawn)
        if mark not in used:
            break
    return f"{batch_id}-{submission}-{mark}"


def is_mark_of(mark: str, batch_id: str) -> bool:
    """Whether these 8 hex digits are of this batch; of another's they seem to be once in 65,536 times."""
    return len(mark) == 8 and mark[4:] == _following(batch_id, mark[:4])


def _following(batch_id: str, drawn: str) -> str:
    return hashlib.sha256(f"{batch_id}/{drawn}".encode("utf-8", "surrogatepass")).hexdigest()[:4]


def prefix_of(token: str) -> str:
    """The 8 hex digits that end a token of ours; empty for any other."""
    match = _TAIL.search(token)
    return match[1] if match else ""


def wire_id(token: str, index: int, job_id: str, fits: Callable[[str], bool]) -> str:
    """`<8 hex>-<job id>` where the provider takes that, else `<8 hex>_<number>`, which no job id can clash with.

    A token that is not ours (an adopted batch) gives no prefix: the id as it is, else `job-<number>`.
    """
    prefix = prefix_of(token)
    if prefix:
        named = f"{prefix}-{job_id}"
        return named if job_id and fits(named) else f"{prefix}_{index}"
    return job_id if fits(job_id) and not _NUMBERED.fullmatch(job_id) else f"job-{index}"


def own_id(wire_id: str, token: str) -> tuple[str, int | None]:
    """Undoes `wire_id`: the job id that it may hold, and the job's number where it is one instead."""
    prefix = prefix_of(token)
    if not prefix:
        return wire_id, _place(wire_id.removeprefix("job-")) if wire_id.startswith("job-") else None
    place = _place(wire_id[9:]) if wire_id.startswith(f"{prefix}_") else None
    return wire_id.removeprefix(f"{prefix}-"), place


def foreign_id(wire_id: str) -> tuple[str, int | None]:
    """What an id holds that batchtui gave on another machine: a job's id, or else its number."""
    match = _FOREIGN.fullmatch(wire_id)
    if match is None:
        return wire_id, None
    return match["id"] or "", _place(match["n"] or "")


def _place(digits: str) -> int | None:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
