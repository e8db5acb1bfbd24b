"""Slurm's own commands, called with an argument list, a time limit and a fixed language."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
from asyncio.subprocess import Process
from collections.abc import Sequence
from dataclasses import dataclass

from batchtui.backends.base import Refused, Transient, TryLater, Unsure
from batchtui.backends.slurm import complaints
from batchtui.backends.slurm.complaints import CUT_OFF, FULL, GONE, NEVER, UNREACHABLE, reason_of
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


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """The last thing it complained of."""
        return reason_of(self.err, self.out, self.code)


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
    talk = asyncio.create_task(process.communicate())
    try:
        over, _ = await asyncio.wait({talk}, timeout=seconds)
        if not over:
            raise Transient(await _last_words(command[0], process, talk, seconds), kind="unreachable")
        out, err = talk.result()
    finally:
        talk.cancel()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    assert process.returncode is not None
    return Said(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


async def _last_words(
    program: str, process: Process, talk: asyncio.Task[tuple[bytes, bytes]], seconds: float
) -> str:
    """End it; what it had complained of by then: `sbatch` says that it waits, and then says nothing more."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await asyncio.wait({talk}, timeout=1.0)  # something that it started may hold its output open
    err = talk.result()[1].decode("utf-8", "replace") if talk.done() and not talk.exception() else ""
    return complaints.hung(program, seconds, reason_of(err, "", 0) if err.strip() else "")


async def ask(*command: str, seconds: float = SECONDS) -> str:
    """What a command that changes nothing printed. Raises Transient, Refused."""
    said = await call(*command, seconds=seconds)
    if said.code == 0:
        return said.out
    if UNREACHABLE.search(said.err):
        raise Transient(complaints.unreachable(command[0], said.reason), kind="unreachable")
    raise Refused(complaints.refused(command[0], said.reason), "slurm")


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
            raise Unsure(f'sbatch answered "{cell(said.out, 60)}", which is no id', answered=True)
        return array
    if CUT_OFF.search(said.err):
        raise Unsure(f"sbatch: {said.reason}")
    if FULL.search(said.err) and not NEVER.search(said.err):
        raise TryLater(complaints.full(said.reason), 60.0, kind="queue_full")
    if UNREACHABLE.search(said.err):
        raise TryLater(complaints.unreachable("sbatch", said.reason), kind="unreachable")
    raise Refused(complaints.refused("sbatch", said.reason), "slurm")


async def scancel(jobs: Sequence[str], *, seconds: float, options: Sequence[str] = ()) -> None:
    """Ask for the end of arrays or elements (`12`, `12_[3,7-9]`); of those that are over Slurm knows no more."""
    said = await call("scancel", *options, *jobs, seconds=seconds)
    if said.code and not GONE.search(said.err):
        if UNREACHABLE.search(said.err):
            raise Transient(complaints.unreachable("scancel", said.reason), kind="unreachable")
        raise Refused(f"scancel: {said.reason}", "slurm")
