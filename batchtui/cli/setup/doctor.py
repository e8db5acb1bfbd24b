"""`doctor`: is everything here fit to run batches?"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from typing import NamedTuple

import batchtui
from batchtui.cli.shared.console import is_terminal
from batchtui.cli.shared.phrases import NO_KEY, OK, SOME_FAILED
from batchtui.cli.shared.session import Session
from batchtui.errors import BatchtuiError
from batchtui.plain import only_ascii

REQUIRED = ("textual", "httpx", "aiohttp", "filelock", "msgspec", "jinja2", "jsonschema")
NOT_FOR_USERS = ("all", "test", "conformance", "lint")
"""Extras that are others together, or for whoever works on batchtui."""
_OF_EXTRA = re.compile(r"([\w.-]+).*extra == ['\"](\w+)['\"]")

WITHOUT_LOCKS = (
    "do not work on this file system, so that two programs could pay for one batch; name a folder on a disk of this "
    "machine with --data-dir"
)


class Finding(NamedTuple):
    name: str
    state: str
    """ok, info or problem."""
    text: str
    exit_code: int = SOME_FAILED


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    return


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    console, worst = session.console, int(OK)
    for finding in _findings(session):
        if finding.state == "problem":
            worst = max(worst, finding.exit_code)
        if console.json:
            console.document({"name": finding.name, "state": finding.state, "text": finding.text})
        else:
            from batchtui.text import cell

            print(f"{console.paint(f'{finding.state:<8}')} {finding.name:<12} {cell(finding.text)}")
    return worst


def _findings(session: Session) -> Iterator[Finding]:
    from batchtui import __version__

    yield Finding("batchtui", "ok", f"{__version__} in {os.path.dirname(batchtui.__file__)}")
    old = sys.version_info < (3, 11)
    yield Finding(
        "python",
        "problem" if old else "ok",
        f"{platform.python_version()} on {platform.platform()}" + ("; it takes 3.11 or newer" if old else ""),
    )
    yield from _libraries()
    yield from _terminal()
    yield from _data_dir(session)
    yield from _configuration(session)


def _libraries() -> Iterator[Finding]:
    from importlib.metadata import PackageNotFoundError, version

    def installed(name: str) -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    for name in REQUIRED:
        found = installed(name)
        yield Finding(name, "ok" if found else "problem", found or f"missing: pip install {name}")
    for extra, names in extras().items():
        missing = [name for name in names if not installed(name)]
        text = f"not installed: pip install 'batchtui[{extra}]'" if missing else "installed"
        yield Finding(f"[{extra}]", "info" if missing else "ok", text)


def extras() -> dict[str, list[str]]:
    """What each extra brings, as the package itself says."""
    from importlib.metadata import PackageNotFoundError, requires

    found: dict[str, list[str]] = {}
    try:
        said = requires("batchtui") or ()
    except PackageNotFoundError:  # run from a folder, without an installation
        said = ()
    for one in said:
        if (match := _OF_EXTRA.match(one)) and match[2] not in NOT_FOR_USERS:
            found.setdefault(match[2], []).append(match[1])
    return found


def _terminal() -> Iterator[Finding]:
    if not is_terminal(sys.stdout):
        yield Finding("terminal", "info", "stdout is no terminal here")
    else:
        size = shutil.get_terminal_size()
        facts = [os.environ.get("TERM") or "TERM is not set", f"{size.columns}x{size.lines}"]
        facts += [
            f"{name} set"
            for name in ("COLORTERM", "TMUX", "STY", "SSH_TTY", "NO_COLOR")
            if os.environ.get(name)
        ]
        yield Finding("terminal", "ok", ", ".join(facts))
    utf8 = not only_ascii()
    encoding = "UTF-8" if utf8 else "ASCII"
    advice = "" if utf8 else "; set LANG to a UTF-8 locale to see all characters"
    yield Finding("encoding", "ok" if utf8 else "info", f"{encoding}{advice}")


def _data_dir(session: Session) -> Iterator[Finding]:
    try:
        path = session.data_dir
    except BatchtuiError as fault:
        yield Finding("data", "problem", str(fault), NO_KEY)
        return
    nearest = path
    while not nearest.exists():
        nearest = nearest.parent
    if not os.access(nearest, os.W_OK | os.X_OK):
        yield Finding("data", "problem", f"{path}: cannot be written; name another folder with --data-dir")
        return
    if nearest != path:
        yield Finding("data", "ok", f"{path}: not there yet, and can be made")
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    free = shutil.disk_usage(path).free
    shared = f"; others can read it: chmod 700 {path}" if mode & 0o077 else ""
    yield Finding(
        "data", "info" if shared else "ok", f"{path}: mode {mode:04o}, {free / 1e9:,.1f} GB free{shared}"
    )
    yield _lock(session)
    yield from _batches(session)


def _lock(session: Session) -> Finding:
    """A lock that holds nobody off would let two processes pay for one batch."""
    import tempfile
    from pathlib import Path

    from batchtui.store.files.lock import DriveLock, is_held

    try:
        with tempfile.TemporaryDirectory(dir=session.data_dir, prefix=".doctor-") as name:
            lock = DriveLock(Path(name))
            held = lock.take() and is_held(Path(name))
            lock.release()
    except OSError as fault:
        return Finding("locks", "problem", f"{session.data_dir}: {fault.strerror}")
    return Finding("locks", "ok" if held else "problem", "work" if held else WITHOUT_LOCKS)


def _batches(session: Session) -> Iterator[Finding]:
    count = 0
    for folder in session.library.folders():
        if isinstance(folder, BatchtuiError):
            yield Finding("batch", "problem", str(folder))
        else:
            count += 1
    yield Finding("batches", "ok", f"{count:,}")


def _configuration(session: Session) -> Iterator[Finding]:
    from batchtui.cli.shared.proxies import proxy_of
    from batchtui.config import key_state, load_config
    from batchtui.config.paths import config_path
    from batchtui.config.providers import KEYLESS

    config = load_config(config_path(session.config_option))
    yield Finding("config", "ok", f"{config.path}{'' if config.exists else ': none, the defaults hold'}")
    for problem in config.problems:
        yield Finding("config", "problem" if problem.fatal else "info", str(problem), NO_KEY)
    for name, backend in config.backends.items():
        proxy = proxy_of(backend)
        through = f", through the proxy {proxy}" if proxy else ""
        state = key_state(backend)
        lacks = " not set" in state
        advice = "; set it, or name where the key is in the configuration" if lacks else ""
        yield Finding(
            "backend", "info" if lacks else "ok", f"{name} ({backend.kind}): {state}{through}{advice}"
        )
    if set(config.backends) <= KEYLESS and not config.broken:
        yield Finding(
            "providers", "info",
            "none has its key in its usual variable; `batchtui config add openai` says where another one is, "
            "`batchtui config add chat` adds a server of your own, and `batchtui demo` needs neither",
        )  # fmt: skip
