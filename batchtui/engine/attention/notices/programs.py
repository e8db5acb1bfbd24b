"""Notices by programs of this machine: the desktop's, and the user's own command. None of them sees a key."""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import os
import shutil
import signal
import sys
from collections.abc import Collection, Mapping, Sequence

from batchtui.engine.attention.notices.events import Notice
from batchtui.text import cell

SECONDS = 15.0
"""After which the command, and all that it started, is ended."""
_SCRIPT = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"


async def desktop(notice: Notice, env: Mapping[str, str]) -> str | None:
    """Why it was not told; None: it was."""
    title = f"batchtui: {notice.title}"
    if shutil.which("notify-send", path=env.get("PATH")):  # its body is markup
        words = ["notify-send", "--app-name=batchtui", "--", title, html.escape(notice.text, quote=False)]
    elif sys.platform == "darwin":
        words = ["osascript", "-e", _SCRIPT, title, notice.text]
    else:
        return "notify-send is not installed here; it comes with libnotify"
    return await _run(words, b"", env)


async def command(words: Sequence[str], notice: Notice, env: Mapping[str, str]) -> str | None:
    """Why it was not told; None: it was."""
    said = {
        "EVENT": notice.event,
        "BATCH": notice.batch,
        "NAME": notice.name,
        "TITLE": notice.title,
        "TEXT": notice.text,
    }
    more = {f"NOTICE_{name}": value for name, value in said.items()}
    return await _run(words, json.dumps(notice.document()).encode() + b"\n", {**env, **more})


def without(hidden: Collection[str], env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in hidden}


async def _run(words: Sequence[str], data: bytes, env: Mapping[str, str]) -> str | None:
    program = cell(words[0], 40)
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL, start_new_session=True, env=dict(env),
        )  # fmt: skip
    except OSError as fault:
        return f"{program} cannot be started ({fault.strerror})"
    try:
        async with asyncio.timeout(SECONDS):
            await process.communicate(data)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        return f"{program} did not end within {SECONDS:g} s"
    return None if process.returncode == 0 else f"{program} ended with {process.returncode}"
