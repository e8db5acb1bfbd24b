"""Every exit code there is, each with what it says. `--help` and the manual's words come from here, and so do the tests."""

from __future__ import annotations

from enum import IntEnum

SIGNALLED = 128
"""Plus the signal's number: what shells say of a process that a signal ended."""


class Exit(IntEnum):
    OK = 0
    SOME_FAILED = 1
    BAD_INPUT = 2
    NO_KEY = 3
    UNREACHABLE = 4
    LIMIT = 5
    LIVE = 6
    NOT_FOUND = 7
    HUNG_UP = SIGNALLED + 1
    INTERRUPTED = SIGNALLED + 2
    PIPE_CLOSED = SIGNALLED + 13
    TERMINATED = SIGNALLED + 15


WORDS: dict[Exit, str] = {
    Exit.OK: "every job completed",
    Exit.SOME_FAILED: "some did not",
    Exit.BAD_INPUT: "usage or bad input",
    Exit.NO_KEY: "configuration or key missing",
    Exit.UNREACHABLE: "backend unreachable or refused",
    Exit.LIMIT: "a limit was hit",
    Exit.LIVE: "still live: wait timed out, or it waits for your word",
    Exit.NOT_FOUND: "not found",
    Exit.HUNG_UP: "ended by SIGHUP: the terminal is gone",
    Exit.INTERRUPTED: "interrupted",
    Exit.PIPE_CLOSED: "nobody reads the output any more",
    Exit.TERMINATED: "ended by SIGTERM",
}


def table(width: int = 118) -> str:
    """All of them in as few lines as they need."""
    lines = ["Exit codes:"]
    for code, words in WORDS.items():
        part = f" {code.value} {words}"
        if len(lines[-1]) + len(part) + 2 > width:
            lines.append(" ")
        lines[-1] += part + ("" if code is Exit.TERMINATED else " ·")
    return "\n".join(lines) + "\n"
