"""Events of a batch's journal as sentences for its log."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from batchtui import text
from batchtui.amounts import counted, dollars
from batchtui.store.disk import ranges
from batchtui.store.files.journal import Event

_QUIET = frozenset({"seq", "time", "event", "crc"})


def told(event: Event, ids: Sequence[str]) -> str:
    """One clean line; an event of a kind that is not known here as its name and facts. Never raises."""
    words = _WORDS.get(event["event"])
    try:
        line = words(event, ids) if words else _plain(event)
    except (KeyError, ValueError, TypeError, IndexError):
        line = _plain(event)
    return text.cell(line, 1000)


def tone(event: Event) -> str:
    """The style of its line."""
    if event["event"] in ("attention", "unsure", "retry", "lost") or event.get("state") in (
        "invalid",
        "expired",
    ):
        return "$text-warning"
    return "$text-error" if event.get("state") == "failed" else ""


def _plain(event: Event) -> str:
    facts = " ".join(
        f"{key}={value}" for key, value in event.items() if key not in _QUIET and value is not None
    )
    return f"{event['event']} {facts}".rstrip()


def _job(event: Event, ids: Sequence[str]) -> str:
    return f"job {ids[event['n']]}"


def _jobs(event: Event) -> str:
    return counted(ranges.count(event["jobs"]), "job")


def _why(event: Event) -> str:
    parts = [str(event[key]) for key in ("error_kind", "error", "reason") if event.get(key)]
    return f" ({': '.join(parts)})" if parts else ""


def _poll(event: Event, _: Sequence[str]) -> str:
    counts = [f"{event[key]:,} {key}" for key in ("completed", "failed") if event.get(key)]
    if doing := (event.get("facts") or {}).get("doing"):
        counts.append(str(doing))
    return f"submission {event['sub']} {event.get('ended_as') or event['state']}" + (
        f": {', '.join(counts)}" if counts else ""
    )


def _note(event: Event, _: Sequence[str]) -> str:
    facts = (f"{key} {value}" for key, value in event["facts"].items() if value not in (None, ""))
    return f"submission {event['sub']}: {', '.join(facts)}"


_WORDS: dict[str, Callable[[Event, Sequence[str]], str]] = {
    "journal": lambda e, _: "batch created",
    "driver": lambda e, _: f"driven by pid {e['pid']}",
    "start": lambda e, ids: f"{_job(e, ids)} started" + (f", attempt {e['try']}" if e["try"] > 1 else ""),
    "result": lambda e, ids: f"{_job(e, ids)} {e['state']}{_why(e)}",
    "retry": lambda e, ids: f"{_job(e, ids)} is tried again{_why(e)}",
    "mark": lambda e, _: f"{_jobs(e)} {e['state']}{_why(e)}",
    "lost": lambda e, _: f"{_jobs(e)} were running when the app died and go back to pending",
    "planned": lambda e, _: f"submission {e['sub']}: {_jobs(e)} for {e['backend']}",
    "unplanned": lambda e, _: f"submission {e['sub']} is packed anew",
    "overrun": lambda e, _: f"{dollars(e['spent_usd'])} were spent, over the limit of {dollars(e['limit_usd'])}",
    "intent": lambda e, _: f"submission {e['sub']}: sending {_jobs(e)} to {e['backend']}",
    "adopted": lambda e, _: f"submission {e['sub']}: {e['remote_id']} of {e['backend']} is taken over",
    "born": lambda e, _: f"{_jobs(e)} became known with the results of submission {e['sub']}",
    "submitted": lambda e, _: f"submission {e['sub']} was taken as {e['remote_id']}",
    "answered": lambda e, _: f"submission {e['sub']} was answered with its result",
    "waiting": lambda e, _: f"submission {e['sub']} waits{_why(e)}",
    "unsure": lambda e, _: f"submission {e['sub']} may have been made{_why(e)}",
    "poll": _poll,
    "note": _note,
    "uncollected": lambda e, _: f"submission {e['sub']}: its results are not whole{_why(e)}",
    "recollect": lambda e, _: f"submission {e['sub']}: {_jobs(e)} are fetched once more",
    "cancel_asked": lambda e, _: f"submission {e['sub']}: cancelling",
    "collected": lambda e, _: f"submission {e['sub']} is collected{_why(e)}",
    "attention": lambda e, _: f"needs you: {e['text']}",
    "settled": lambda e, _: f"settled: {e['kind']}",
    "disk": lambda e, _: f"there is space again since {e['time']}: from {e['since']} {e['text']}",
    "paused": lambda e, _: "paused",
    "resumed": lambda e, _: "resumed",
    "renamed": lambda e, _: f'named "{e["name"]}" from now on, "{e["before"]}" before',
    "inbox": lambda e, _: "a command was obeyed",
    "ended": lambda e, _: "ended",
}  # fmt: skip
