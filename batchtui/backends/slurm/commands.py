"""Slurm's own commands, called with an argument list, a time limit and a fixed language."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import re
from collections.abc import Sequence
from dataclasses import dataclass

from batchtui.backends.base import Refused, Transient, TryLater, Unsure
from batchtui.text import cell

SECONDS = 20.0
"""A command that takes longer is ended, and its answer counts as unknown; a lost controller makes them hang."""
HANDED_ON = (
    "HOME", "PATH", "LANG", "LC_CTYPE", "USER", "LOGNAME", "SHELL", "PYTHONPATH", "VIRTUAL_ENV",
    "CONDA_PREFIX", "LD_LIBRARY_PATH", "MODULEPATH", "LOADEDMODULES", "OMP_NUM_THREADS",
)  # fmt: skip
"""All that `sbatch` and so the jobs see of our environment, beside Slurm's own variables: keys stay here."""
_SLURM = ("SLURM_CONF", "SLURM_CLUSTERS", "SBATCH_", "MUNGE_")
_HELD_BACK = frozenset({"SBATCH_WAIT", "SBATCH_NO_REQUEUE", "SBATCH_GET_USER_ENV", "SBATCH_EXPORT"})
_UNREACHABLE = re.compile(
    r"unable to contact slurm controller|connection refused|connect failure|slurm_load_jobs|"
    r"socket timed out|zero bytes|transport endpoint|could not establish a configuration source|"
    r"slurm backup controller|unexpected message|address already in use",
    re.IGNORECASE,
)
_FULL = re.compile(
    r"submit ?limit|SubmitJob|MaxSubmit|temporarily unable to accept|job count limit", re.IGNORECASE
)
_GONE = re.compile(
    r"invalid job id|job/step already completing or completed|already completed", re.IGNORECASE
)
_PREFIX = re.compile(r"^\w+: (?:error|fatal): ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """The last thing it complained of."""
        lines = [line.strip() for line in _PREFIX.sub("", self.err or self.out).splitlines() if line.strip()]
        return cell(lines[-1], 200) if lines else f"exit {self.code}"


def user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def environment(*more: str) -> dict[str, str]:
    """What a job may see of ours, and what tells Slurm where its controller is."""
    wanted = {*HANDED_ON, *more}
    return {
        name: value
        for name, value in os.environ.items()
        if name in wanted or (name.startswith(_SLURM) and name not in _HELD_BACK)
    }


async def call(*command: str, seconds: float = SECONDS, env: dict[str, str] | None = None) -> Said:
    """Run it to its end. Raises Transient where it gave no answer in time, Refused where it is not installed."""
    if env is None:
        env = environment() | {"LC_ALL": "C", "SLURM_TIME_FORMAT": "%s", "SLURM_BITSTR_LEN": "0"}
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=env,
        )
    except OSError as fault:
        raise Refused(f"cannot start {command[0]}: {fault.strerror or fault}", "start") from None
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate()
    except BaseException as fault:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if isinstance(fault, TimeoutError):
            raise Transient(f"{command[0]} gave no answer in {seconds:g} s", kind="unreachable") from None
        raise
    assert process.returncode is not None
    return Said(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


async def ask(*command: str, seconds: float = SECONDS) -> str:
    """What a command that changes nothing printed. Raises Transient, Refused."""
    said = await call(*command, seconds=seconds)
    if said.code == 0:
        return said.out
    if _UNREACHABLE.search(said.err):
        raise Transient(f"{command[0]}: {said.reason}", kind="unreachable")
    raise Refused(f"{command[0]}: {said.reason}", "slurm")


async def sbatch(options: Sequence[str], script: str, *, seconds: float, env: dict[str, str]) -> str:
    """Submit, once; the id of the array. Raises Unsure, Refused, TryLater."""
    command = ("sbatch", "--parsable", *options, script)
    try:
        said = await call(*command, seconds=seconds, env=env)
    except Transient as fault:
        raise Unsure(fault.message) from None
    array = said.out.strip().partition(";")[0]
    if said.code == 0:
        if not array.isdecimal():
            raise Unsure(f'sbatch answered "{cell(said.out, 60)}", which is no id')
        return array
    if re.search("socket timed out|zero bytes|unexpected message", said.err, re.IGNORECASE):
        raise Unsure(f"sbatch: {said.reason}")
    if _FULL.search(said.err):
        raise TryLater(f"Slurm takes no more jobs at the moment: {said.reason}", 60.0, kind="queue_full")
    if _UNREACHABLE.search(said.err):
        raise TryLater(f"sbatch: {said.reason}", kind="unreachable")
    raise Refused(f"sbatch: {said.reason}", "slurm")


async def scancel(jobs: Sequence[str], *, seconds: float, options: Sequence[str] = ()) -> None:
    """Ask for the end of arrays or elements (`12`, `12_[3,7-9]`); of those that are over Slurm knows no more."""
    said = await call("scancel", *options, *jobs, seconds=seconds)
    if said.code and not _GONE.search(said.err):
        if _UNREACHABLE.search(said.err):
            raise Transient(f"scancel: {said.reason}", kind="unreachable")
        raise Refused(f"scancel: {said.reason}", "slurm")
