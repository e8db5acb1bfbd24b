"""What helps against a cause of failure, by its kind: one sentence, true of every job of that kind."""

from __future__ import annotations

from collections.abc import Mapping

from batchtui.model import JobState

_RETRY = "try these again"
ADVICE: Mapping[str, str] = {
    "rate_limit": f"The backend had too much to do; {_RETRY}, slower under a lower limits.concurrency.",
    "queue_full": f"The backend's queue was full; {_RETRY} once it has room.",
    "server": f"The backend broke down over these; {_RETRY}.",
    "unreachable": f"The backend was not reached; once it answers {_RETRY}.",
    "timeout": f"They took longer than limits.timeout allows; raise it, then {_RETRY}.",
    "exit": "The program ended with that code; its last words are in the result, Meta has where its log is.",
    "exception": f"The function raised this; mend it, then {_RETRY} over the new code.",
    "start": f"The program did not start; see that it is installed and may be run, then {_RETRY}.",
    "output": "What the program gave back was not what was asked for; the result has what it said.",
    "disk": f"The disk took no more; once it has space {_RETRY}.",
    "input": "The row does not give what the job needs; mend the source and submit those rows anew.",
    "too_large": "The request is larger than the backend takes; shorten the prompt or the file, then submit anew.",
    "refused": "The backend does not take such a job; its words say why. To try again meets the same.",
    "bad_reply": f"The backend answered with something else; {_RETRY}, the log has what came.",
    "not_converged": "The solver found no solution; less load, or the task dc over the same scenario, shows what is too much.",
    "infeasible": "The limits leave no dispatch; less load, or wider limits of generators and branches in the grid.",
    "islanded": "An outage cuts buses off from the reference; leave it out, or put a branch in service that joins them.",
    "missing_extra": f"A library for this is not installed; the error names the command, then {_RETRY}.",
    "missing_file": f"A file that the job names is not there; put it there, then {_RETRY}.",
    "bad_input": f"A file or the row is not what the task needs: mend the file and {_RETRY}, or the row and run it anew.",
    "damaged": "A stored result cannot be read; collect it again, which costs nothing.",
    "stopped": f"Nothing more was sent after the first error (limits.error_policy); {_RETRY}.",
    "abandoned": f"Its submission was given up by a person; {_RETRY} as new work, which may be paid again.",
    "not_sent": f"They were never sent; {_RETRY}.",
}
_BY_STATE: Mapping[JobState, str] = {
    JobState.INVALID: f"The answer breaks the schema; read one, then loosen the schema or {_RETRY}.",
    JobState.EXPIRED: f"The time ran out before they were done; {_RETRY}, with a higher limit where it was yours.",
    JobState.CANCELLED: f"Somebody cancelled them; {_RETRY} after all.",
}
DEFAULT = f"Read one with its error and request; where the cause is mended {_RETRY}."


def advice(error_kind: str, states: Mapping[str, int]) -> str:
    """For a group of failures of that kind, which stand in those states."""
    if found := ADVICE.get(error_kind):
        return found
    if len(states) == 1:
        return _BY_STATE.get(JobState(next(iter(states))), DEFAULT)
    return DEFAULT
