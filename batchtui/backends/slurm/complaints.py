"""What Slurm's commands complain of, told in one sentence with what to do about it."""

from __future__ import annotations

import re

from batchtui.text import cell

UNREACHABLE = re.compile(
    r"unable to contact slurm controller|connection refused|connect failure|slurm_load_jobs|"
    r"socket timed out|zero bytes|transport endpoint|could not establish a configuration source|"
    r"slurm backup controller|unexpected message|address already in use",
    re.IGNORECASE,
)
CUT_OFF = re.compile("socket timed out|zero bytes|unexpected message", re.IGNORECASE)
"""The request may have been carried out all the same."""
FULL = re.compile(
    r"submit ?limit|SubmitJob|MaxSubmit|temporarily unable to accept|job count limit", re.IGNORECASE
)
NEVER = re.compile(r"(?:QOS|Assoc)\w*(?:Wall|Cpu|Node|Mem|TRES|GRES)\w*Limit", re.IGNORECASE)
"""Limits that a submission breaks by what it asks for, told in the same words as a full queue."""
GONE = re.compile(r"invalid job id|job/step already completing or completed|already completed", re.IGNORECASE)
_PREFIX = re.compile(r"^\w+: (?:error: |fatal: )?", re.MULTILINE)
_FAILED = "Batch job submission failed: "
_SAID = 120
_WHAT_TO_DO = (
    (
        r"\baccount",
        "`sacctmgr show assoc user=$USER` lists yours; name one as `account` in the backend's table",
    ),
    (r"partition", "`sinfo` lists the partitions; name one as `partition` in the backend's table"),
    (r"\bqos\b", "name one that you may use as `qos` in the backend's table"),
    (r"time limit|WallDuration", "set a shorter `time`, or a smaller `chunk`, in the backend's table"),
    (r"node configuration|memory|cpu|gres", "ask for less in `options` in the backend's table"),
    (r"invalid job array", "a larger `chunk` in the backend's table makes fewer array elements"),
)


def reason_of(err: str, out: str, code: int) -> str:
    """What a command complained of last; where a limit was named before that, the limit alone."""
    lines = [line.strip() for line in _PREFIX.sub("", err or out).splitlines() if line.strip()]
    if not lines:
        return f"exit {code}"
    named = lines[-2] if len(lines) > 1 and re.fullmatch(r"\w+Limit", lines[-2]) else lines[-1]
    return cell(named.removeprefix(_FAILED), _SAID)


def unreachable(program: str, reason: str) -> str:
    return f"Slurm's controller does not answer ({program}: {reason}); asked again by itself, see `scontrol ping`"


def full(reason: str) -> str:
    return f"Slurm takes no more jobs now ({reason}); sent again by itself, and a larger `chunk` makes fewer elements"


def hung(program: str, seconds: float, reason: str) -> str:
    """`reason`: what it had said by then; empty where it was silent."""
    said = f" ({reason})" if reason else ", so its controller may be down or busy; see `scontrol ping`"
    return f"{program} gave no answer in {seconds:g} s{said}"


def refused(program: str, reason: str) -> str:
    """With what to change in the backend's table, where it is known."""
    for pattern, words in _WHAT_TO_DO:
        if re.search(pattern, reason, re.IGNORECASE):
            return f"{program}: {reason}; {words}"
    return f"{program}: {reason}"
