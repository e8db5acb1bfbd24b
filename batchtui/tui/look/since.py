"""One line about what happened while the app was closed."""

from __future__ import annotations

from batchtui import outcome
from batchtui.amounts import counted
from batchtui.model import BatchStatus
from batchtui.tui.look import figures, states


def while_away(statuses: list[BatchStatus], last_open: str | None, now: float) -> str:
    """`Reopened after 3 h 12 min: 1 batch ended ("sweep" completed), 2 go on`; empty where there is nothing to say."""
    since = figures.unix(last_open)
    if since is None or now - since < 60:
        return ""
    ended = [s for s in statuses if (at := figures.unix(s.ended)) is not None and at > since]
    going = [s for s in statuses if states.live(s) and (figures.unix(s.created) or now) < since]
    needy = [s for s in statuses if s.attention]
    if not ended and not going and not needy:
        return ""
    parts = []
    if ended:
        names = ", ".join(f'"{s.name}" {outcome.state_words(s)}' for s in ended[:2]) + (
            ", …" if len(ended) > 2 else ""
        )
        parts.append(f"{_batches(len(ended))} ended ({names})")
    if going:
        parts.append(f"{_batches(len(going))} to carry on with")
    if needy:
        parts.append(f"{_batches(len(needy))} in need of you")
    return f"Reopened after {figures.spelled(now - since)}: {', '.join(parts)}"


def _batches(number: int) -> str:
    return counted(number, "batch", "batches")
