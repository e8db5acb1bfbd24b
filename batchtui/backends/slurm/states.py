"""What Slurm's own words mean: the lines of `squeue` and `sacct`, ranges of array elements, states."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

SQUEUE_FORMAT = "%j|%F|%K|%T|%N|%r"
SACCT_FIELDS = "JobName,JobID,State,NodeList"

WAITING = frozenset(
    {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
)
RUNNING = frozenset({"RUNNING", "COMPLETING", "STAGE_OUT", "SIGNALING", "RESIZING"})
HALTED = frozenset({"SUSPENDED", "STOPPED", "PREEMPTED"})
"""A preempted element is queued again where the site requeues; where it does not, it leaves the queue soon."""
MAY_BE_OVER = frozenset({"PREEMPTED"})
LIVE = WAITING | RUNNING | HALTED
CANCELLED = frozenset({"CANCELLED", "REVOKED"})
TIMED_OUT = frozenset({"TIMEOUT", "DEADLINE"})
ENDED = (
    CANCELLED
    | TIMED_OUT
    | {"COMPLETED", "FAILED", "BOOT_FAIL", "LAUNCH_FAILED", "OUT_OF_MEMORY", "NODE_FAIL"}
)

_MEANS = {
    "Resources": "no node is free",
    "Priority": "others go first",
    "JobArrayTaskLimit": "as many run as may at once",
    "BeginTime": "its time has not come",
    "JobHeldUser": "held; `scontrol release` lets it go",
    "JobHeldAdmin": "held by the site",
    "PartitionDown": "its partition starts nothing now",
    "PartitionInactive": "its partition starts nothing now",
    "PartitionTimeLimit": "a shorter `time` in the backend's table would fit its partition",
    "PartitionNodeLimit": "its partition gives no job so many nodes",
    "BadConstraints": "no node has what `options` in the backend's table ask for",
    "ReqNodeNotAvail": "nodes that it needs are down or reserved",
    "DependencyNeverSatisfied": "it never will start; cancel it",
}
"""What `squeue` means by the usual reasons why a job waits, or what to do about it."""
_LIMIT = re.compile(r"(?:QOS|Assoc)\w*(?:Limit|Per\w+)$")
_RANGE = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?")


@dataclass(frozen=True, slots=True)
class Line:
    """Elements of one array in one state. `elements` is empty for a job that is no array."""

    name: str
    array: str
    elements: str
    state: str
    nodes: str = ""
    reason: str = ""


@dataclass(slots=True)
class Queue:
    """What Slurm knows of one array. `ended` holds the states of elements that did not simply complete."""

    array: str | None = None
    waiting: int = 0
    running: int = 0
    halted: int = 0
    live_states: Counter[str] = field(default_factory=Counter)
    """How many are in each state, of those that wait, run or are halted."""
    reasons: set[str] = field(default_factory=set)
    states: dict[int, str] = field(default_factory=dict)
    """State by element, as far as they are listed; live ones included."""
    unknown: set[str] = field(default_factory=set)
    """States that this program does not know."""

    @property
    def live(self) -> bool:
        return bool(self.waiting or self.running or self.halted or self.unknown)

    def take(self, line: Line) -> None:
        self.array = self.array or line.array
        state = plain(line.state)
        elements = list(indices(line.elements)) or [0]
        if state in WAITING:
            self.waiting += len(elements)
            if line.reason not in ("", "None"):
                self.reasons.add(line.reason)
        elif state in RUNNING:
            self.running += len(elements)
        elif state in HALTED:
            self.halted += len(elements)
        elif state not in ENDED:
            self.unknown.add(state)
        if state in LIVE:
            self.live_states[state] += len(elements)
        self.states |= dict.fromkeys(elements, state)

    def words(self) -> str:
        """What it is at: `3 running, 20 waiting (Priority: others go first)`; rarer states in Slurm's own words."""
        parts = [
            f"{count:,} {state.lower()}"
            for state, count in sorted(self.live_states.items(), key=lambda pair: pair[0] != "RUNNING")
            if state not in WAITING
        ]
        if self.waiting:
            rare = sorted(state for state in self.live_states if state in WAITING - {"PENDING"})
            why = ", ".join([*rare, *map(meaning, sorted(self.reasons))])
            parts.append(f"{self.waiting:,} waiting" + (f" ({why})" if why else ""))
        return ", ".join([*parts, *sorted(self.unknown)])


def meaning(reason: str) -> str:
    """Why a job waits, in the word of `squeue`, and what that means."""
    word = reason.partition(",")[0]
    means = _MEANS.get(word) or ("a limit of the site" if _LIMIT.match(word) else "")
    return f"{reason}: {means}" if means else reason


def plain(state: str) -> str:
    """`CANCELLED by 1000` and `CANCELLED+` as the state alone."""
    return state.split(" ")[0].rstrip("+").upper()


def indices(text: str) -> Iterator[int]:
    """The numbers of `0-99%4`, `3,7-9`, `0-20:5`; what is cut off by `...` is left out."""
    for part in text.partition("%")[0].strip("[]").split(","):
        match = _RANGE.fullmatch(part.strip())
        if match:
            first, last, step = match.groups()
            yield from range(int(first), int(last or first) + 1, int(step or 1))


def listed(numbers: Iterable[int]) -> str:
    """The shortest text of these numbers that Slurm takes: `3,7-9`."""
    parts: list[str] = []
    run: list[int] = []
    for number in [*sorted(set(numbers)), -1]:
        if run and number != run[-1] + 1:
            parts.append(f"{run[0]}" if len(run) == 1 else f"{run[0]}-{run[-1]}")
            run = []
        run.append(number)
    return ",".join(parts)


def squeue_lines(text: str) -> Iterator[Line]:
    """What `squeue -o` printed with SQUEUE_FORMAT; other lines, such as a cluster's heading, are passed over."""
    for row in text.splitlines():
        parts = [part.strip() for part in row.split("|", 5)]
        if len(parts) == 6:
            name, array, elements, state, nodes, reason = parts
            yield Line(name, array, "" if elements == "N/A" else elements, state, nodes, reason)


def sacct_lines(text: str) -> Iterator[Line]:
    """What `sacct -P -n` printed with SACCT_FIELDS; `12_3`, `12_[4-9%2]`; earlier attempts come first."""
    for row in text.splitlines():
        parts = [part.strip() for part in row.split("|")]
        if len(parts) == 4 and "." not in parts[1]:
            array, _, elements = parts[1].partition("_")
            yield Line(parts[0], array, elements.strip("[]"), parts[2], parts[3])


def queues(lines: Iterable[Line]) -> dict[str, Queue]:
    """What is known of every array, by its job name."""
    found: dict[str, Queue] = {}
    for line in lines:
        found.setdefault(line.name, Queue()).take(line)
    return found
