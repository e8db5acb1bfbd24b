"""Why a wish would change nothing: what it asks for is so already, or there is nothing left that it could be about."""

from __future__ import annotations

import msgspec

from batchtui.cli.shared.phrases import counts, is_over
from batchtui.model import UNSUCCESSFUL_JOB_STATES, BatchStatus
from batchtui.store.files.inbox import Command
from batchtui.store.folder import BatchFolder

NOBODY = "no job is meant by that"


def why_vain(folder: BatchFolder, status: BatchStatus, wish: Command) -> str:
    """Empty where it would change something."""
    word, args, over = wish.command, wish.args, is_over(status)
    if over and word in ("cancel", "pause"):
        return f"it has ended ({counts(status)})"
    if word == "pause" and status.paused:
        return f"it is paused already; `batchtui resume {folder.id}` goes on with it"
    if word == "archive" and args["on"] == status.archived:
        return "it is archived already" if status.archived else "it is not archived"
    if word == "tag" and not (set(args["add"]) - set(status.tags) or set(args["remove"]) & set(status.tags)):
        return f"its tags are {', '.join(status.tags)}" if status.tags else "it has no tags"
    if word == "limit":
        limits = msgspec.to_builtins(folder.header.spec.limits)
        if all(limits.get(key) == value for key, value in args.items()):
            if not any(value is not None for value in args.values()):
                return f"it has no limit {' or '.join(args)}"
            return "that is its limit already" if len(args) == 1 else "those are its limits already"
        if over and not may_go_again(folder):
            return f"it has ended ({counts(status)}), and nothing of it can be sent again under a limit"
    return ""


def may_go_again(folder: BatchFolder) -> bool:
    """Whether `retry` has jobs that it could send again."""
    return any(n not in folder.born for n in folder.progress.numbers(*UNSUCCESSFUL_JOB_STATES))
