"""One program: started without a shell in a session of its own, awaited without signals or threads, ended whole."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence

from batchtui.work.programs.proc import only_zombies
from batchtui.work.programs.slots import SLOT_VARIABLE, Slot

GRACE = 1.0
"""Seconds between asking a program to end and making it end."""
_LONGEST_PAUSE = 0.05


class Process:
    """A program that leads its own session and process group. Its output goes to the slot's files."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        cwd: str | None,
        stdin: bytes | int | None,
        slot: Slot,
        *,
        executable: str | None = None,
    ) -> None:
        """Start it; `env` is added to what the slot's programs inherit, a descriptor as `stdin` stays open.

        `executable` is where the program was found. Raises OSError or ValueError where it cannot be started.
        """
        opened: list[int] = []
        added = {**env, SLOT_VARIABLE: slot.path}
        try:
            if isinstance(stdin, int):
                opened.append(os.dup(stdin))
            elif stdin is None:
                opened.append(os.open(os.devnull, os.O_RDONLY))
            else:
                opened.append(_open(slot.file("stdin"), os.O_RDWR))
                with open(opened[0], "wb", closefd=False) as file:
                    file.write(stdin)
                os.lseek(opened[0], 0, os.SEEK_SET)
            opened += (_open(slot.file(name), os.O_WRONLY | os.O_APPEND) for name in ("stdout", "stderr"))
            self._popen = subprocess.Popen(
                command,
                stdin=opened[0],
                stdout=opened[1],
                stderr=opened[2],
                cwd=cwd,
                env={
                    **slot.environment,
                    **{os.fsencode(name): os.fsencode(value) for name, value in added.items()},
                },
                executable=executable,
                start_new_session=True,
                pass_fds=(slot.fd,),
            )
        finally:
            for fd in opened:
                os.close(fd)
            slot.hand_over()
        self.pid = self._popen.pid

    async def exited(self) -> int:
        """The exit code once the program itself has ended; minus the signal's number where one ended it."""
        if self._popen.returncode is None:
            await _exit_of(self.pid, self._popen.poll)
        return self._popen.wait()

    def left_some(self) -> bool:
        """Whether members of its group outlived the program, which must have exited."""
        return _group_exists(self.pid)

    async def end(self, grace: float = GRACE) -> None:
        """End the whole group and reap the program; one that may not be signalled is awaited."""
        await end_group(self.pid, grace, self._popen.poll)
        await self.exited()


async def end_group(group: int, grace: float = GRACE, reap: Callable[[], object] = lambda: None) -> None:
    """SIGTERM to a process group, SIGKILL after `grace` seconds to what is left; returns when no member lives.

    `reap` is called before every look at the group. Members that this user may not end count as gone.
    Cancelled while it waits, it kills at once.
    """
    _signal_group(group, signal.SIGTERM)
    try:
        async with asyncio.timeout(grace):
            await _gone(group, reap)
    except TimeoutError:
        _signal_group(group, signal.SIGKILL)
        await _gone(group, reap)
    except asyncio.CancelledError:
        _signal_group(group, signal.SIGKILL)
        raise


async def uninterrupted(work: Coroutine[None, None, None]) -> None:
    """Finish `work` however often the task that waits for it is cancelled."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            continue
    if not task.cancelled():
        task.result()


async def _exit_of(pid: int, poll: Callable[[], int | None]) -> None:
    if sys.platform == "linux":
        try:
            fd = os.pidfd_open(pid)
        except OSError:  # an old kernel, a container that forbids it, no descriptors left
            pass
        else:
            await _readable(fd)
            return
    for pause in _pauses():
        if poll() is not None:
            return
        await asyncio.sleep(pause)


async def _readable(fd: int) -> None:
    """Wait for a descriptor, which is closed afterwards."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        loop.remove_reader(fd)
        if not ready.done():
            ready.set_result(None)

    try:
        loop.add_reader(fd, wake)
        await ready
    finally:
        loop.remove_reader(fd)
        os.close(fd)


async def _gone(group: int, reap: Callable[[], object]) -> None:
    for pause in _pauses():
        reap()
        # the search for zombies reads all of /proc, so quick ends do without it
        if not _group_exists(group) or (pause > _LONGEST_PAUSE / 2 and only_zombies(group)):
            return
        await asyncio.sleep(pause)


def _pauses() -> Iterator[float]:
    """Seconds between looks, from short to long."""
    pause = 0.001
    while True:
        yield pause
        pause = min(_LONGEST_PAUSE, pause * 2)


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def _group_exists(group: int) -> bool:
    """Whether the group has members that we may signal; zombies count on Linux."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
