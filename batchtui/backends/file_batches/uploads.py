"""An upload that its provider still looks at: waited for, since a batch of it would be refused or fail."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from batchtui.backends.base import Refused, Transient, TryLater
from batchtui.backends.wire.replies import error_words, tidy
from batchtui.model import Json
from batchtui.text import cell

WAITED = "file_waited_for"
"""Among a submission's facts: whether its upload was not ready when it was last looked at."""
_UNDER_WAY = frozenset(
    {
        "pending", "queued", "not_running", "notrunning", "running", "processing", "in_progress", "validating",
        "importing", "uploading", "state_unspecified",
    }
)  # fmt: skip
_BROKEN = frozenset({"error", "failed", "deleted", "deleting", "cancelled", "canceled", "expired"})
_TOO_EARLY = re.compile(
    r"not (?:yet )?(?:in an? \w+ state|ready|processed|active|available)|(?:still|being) (?:processed|validated|uploaded)"
    r"|(?:still|is|state:?|status:?) [\"'`]?(?:pending|processing|validating|running|queued)",
    re.IGNORECASE,
)
_NEVER = re.compile(r"(?:state|status):? [\"'`]?(?:error|failed|deleted|cancell?ed|expired)", re.IGNORECASE)
FIRST_LOOK, INLINE = 0.5, 20.0
"""Seconds to the first look at it, and in all before the submission steps back to wait."""


def state_of(file: dict[str, Json] | None) -> str:
    """The word that a file object has for its state; empty where it has none."""
    word = (
        next((file[key] for key in ("status", "state") if isinstance(file.get(key), str)), "") if file else ""
    )
    return str(word).strip().lower().replace("-", "_").replace(" ", "_")


def is_not_ready(file: dict[str, Json] | None) -> bool:
    """Whether its state is one of which no batch can be made: `wait_for` waits, or says that it never will be."""
    return state_of(file) in _UNDER_WAY | _BROKEN


def is_too_early(fault: Refused) -> bool:
    """Whether a create was refused for nothing but an upload that is not ready."""
    return bool(_TOO_EARLY.search(fault.message)) and not _NEVER.search(fault.message)


async def wait_for(look: Callable[[], Awaitable[dict[str, Json] | None]]) -> None:
    """Until the file is ready, for a while. Raises TryLater while it is not, Refused where it never will be."""
    pause, waited = FIRST_LOOK, 0.0
    while True:
        try:
            file = await look()
        except Transient as fault:
            raise TryLater(
                f"the upload cannot be looked at: {fault.message}", fault.after, kind=fault.kind
            ) from None
        word = state_of(file)
        if word in _BROKEN:
            said = (file or {}).get("status_details") or (file or {}).get("error")
            why = f": {tidy(error_words(said))}" if said else ""
            raise Refused(f'the upload cannot be used, its state is "{cell(word, 40)}"{why}', "upload")
        if word not in _UNDER_WAY:
            return
        if waited + pause > INLINE:
            raise TryLater(f'the upload is not ready: its state is "{cell(word, 40)}"', kind="not_ready")
        await asyncio.sleep(pause)
        waited, pause = waited + pause, pause * 1.5
