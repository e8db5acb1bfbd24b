"""From what the runner wrote, and what Slurm says of an element that wrote nothing, to the outcome of a job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from batchtui.backends.base import Answer
from batchtui.backends.slurm.folder import Plan, RunFolder
from batchtui.backends.slurm.states import CANCELLED, TIMED_OUT, indices
from batchtui.model import JobState, Json, Outcome
from batchtui.work.scenarios.words import in_words

STATES = "elements"
"""Among a submission's facts: elements that did not simply complete, as text by their state."""
_ABOUT = ("stdout", "stderr", "exit_code", "seconds", "truncated", "traceback")
TRANSIENT = frozenset({"NODE_FAIL", "BOOT_FAIL", "LAUNCH_FAILED", "PREEMPTED"})
"""Ends of an element that are no fault of its jobs: they may go again, elsewhere."""
_TOLD = {
    "OUT_OF_MEMORY": (
        "memory",
        'ran out of memory; ask for more with options = ["--mem=…"], or a smaller chunk',
    ),
    "NODE_FAIL": ("node", "was on a node that failed, and was not started again"),
    "BOOT_FAIL": ("node", "was on a node that did not start"),
    "LAUNCH_FAILED": ("node", "could not be started"),
    "PREEMPTED": ("preempted", "had to make room for others, and was not started again"),
}


def early_answers(folder: RunFolder, array: str, told: dict[str, int]) -> Iterator[list[Answer]]:
    """The results that are new since the last look (`told`, which is moved on). Raises OSError."""
    for records in folder.records(told):
        yield [Answer(str(record.get("id")), outcome_of(record, array, folder)) for record in records]


def all_answers(folder: RunFolder, array: str, states: Mapping[str, Json]) -> Iterator[list[Answer]]:
    """The results there are, then a word on every task that left none. Raises OSError."""
    plan = folder.plan()
    of_element = {element: state for state, text in states.items() for element in indices(str(text))}
    folder.give_up(element for element, state in of_element.items() if state in TRANSIENT)
    answered = bytearray(plan.tasks)
    for records in folder.records():
        group = []
        for record in records:
            if 0 <= record["task"] < plan.tasks:
                answered[record["task"]] = 1
                group.append(Answer(str(record.get("id")), outcome_of(record, array, folder)))
        yield group
    if answered.count(0):
        yield from _unanswered(folder, array, of_element, plan, answered)


def _unanswered(
    folder: RunFolder, array: str, of_element: Mapping[int, str], plan: Plan, answered: bytearray
) -> Iterator[list[Answer]]:
    marks = folder.cancelled()
    for tasks in folder.tasks():
        group = []
        for task in tasks:
            if not answered[task["task"]]:
                element = task["task"] // plan.chunk
                marked = not marks.isdisjoint(("all", str(task["n"])))
                state = of_element.get(element)
                outcome = missing(element, state, marked=marked)
                outcome.remote = {"array": array, "element": element, "log": str(folder.log(element))}
                again = state in TRANSIENT and not marked
                group.append(Answer(task["id"], outcome, again=again))
        yield group


def outcome_of(record: dict[str, Json], array: str, folder: RunFolder) -> Outcome:
    """What a line of a result file says."""
    try:
        state = JobState(record["state"])
    except ValueError:
        state = JobState.FAILED
    element = record.get("element", 0)
    remote = {"array": array, "element": element, "node": record.get("node"), "log": str(folder.log(element))}
    remote |= {key: record[key] for key in ("attempt", "restart") if record.get(key, 0) > (key == "attempt")}
    outcome = Outcome(
        state=state, remote=remote, error=record.get("error"), error_kind=record.get("error_kind")
    )
    if state is JobState.CANCELLED:
        return outcome
    about = {key: record[key] for key in _ABOUT if key in record}
    outcome.output = about
    value, form = record.get("value"), record.get("form")
    if form == "task" and isinstance(value, dict):
        outcome.output = {**about, **value}
        outcome.raw_response = in_words(value) or None
    elif form == "call" and state is JobState.COMPLETED:
        outcome.parsed_response = value
        outcome.raw_response = value if isinstance(value, str) else None
    elif form == "command":
        outcome.raw_response = record.get("stdout")
    return outcome


def missing(element: int, state: str | None, *, marked: bool) -> Outcome:
    """A task without a result: `state` is what Slurm last said of its element, None: nothing any more."""
    if marked:
        return Outcome(state=JobState.CANCELLED)
    its = f"array element {element}"
    if state in CANCELLED:
        return Outcome(state=JobState.CANCELLED, error=f"its {its} was cancelled in Slurm, not from here")
    if state in TIMED_OUT:
        error = f"its {its} was ended by its time limit before this job had a result"
        return Outcome(state=JobState.FAILED, error=error, error_kind="timeout")
    if state in _TOLD:
        kind, words = _TOLD[state]
        return Outcome(state=JobState.FAILED, error=f"its {its} {words}", error_kind=kind)
    if state is None:
        error = f"its {its} is over and left no result for this job; see its log"
    else:
        error = f"its {its} ended as {state} and left no result for this job; see its log"
    return Outcome(state=JobState.FAILED, error=error, error_kind="lost")
