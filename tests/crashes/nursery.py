"""A process that has loaded the product once and forks a batchtui of its own for every command: no start is paid twice.

Each is a real process that runs the real entry point with its own arguments, environment and streams, one at a time.
Protocol: one JSON object a line. In: `{"argv", "env", "out", "err", "point", "nth", "signal"}`. Out: its pid; at its end its
wait status. `point` and `nth` say where it gets `signal`; no point: nowhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any, NoReturn

LOADED = (
    "asyncio", "tempfile", "ctypes", "importlib.metadata", "filelock", "httpx", "aiohttp",
    "platformdirs", "encodings.utf_8_sig",
    "batchtui.cli.entry", "batchtui.cli.dispatch", "batchtui.backends.registry",
    "batchtui.cli.submit.run", "batchtui.cli.control.resume", "batchtui.cli.control.fsck", "batchtui.cli.reading.read",
    "batchtui.engine.worker", "batchtui.engine.send.remote", "batchtui.engine.send.direct", "batchtui.engine.round",
    "batchtui.engine.plan.compose.composition", "batchtui.backends.http", "batchtui.backends.local.backend",
    "batchtui.backends.chat.backend", "batchtui.backends.openai.backend", "batchtui.backends.anthropic.backend",
    "batchtui.backends.gemini.backend", "batchtui.backends.mistral.backend", "batchtui.backends.together.backend",
    "batchtui.domains.energy.backend", "batchtui.domains.flows.backend", "batchtui.backends.rest.backend",
    "batchtui.backends.slurm.backend", "tests.crashes.points",
)  # fmt: skip


def serve() -> None:
    for name in LOADED:
        __import__(name)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(order)
        print(pid, flush=True)
        print(os.waitpid(pid, 0)[1], flush=True)


def _live(order: dict[str, Any]) -> NoReturn:
    """Be a batchtui from here on."""
    try:
        os.environ.clear()
        os.environ.update(order["env"])
        for number, path, flags in (
            (0, "/dev/null", os.O_RDONLY),
            (1, order["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
            (2, order["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        ):
            fd = os.open(path, flags, 0o600)
            os.dup2(fd, number)
            os.close(fd)
        sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
        sys.argv = ["batchtui", *order["argv"]]
        if order["point"]:
            from tests.crashes.points import arm

            arm(order["point"], order["nth"], order["signal"])
        from batchtui.cli.entry import program

        program()
    except BaseException:
        import traceback

        with contextlib.suppress(OSError):
            traceback.print_exc()
    os._exit(70)


if __name__ == "__main__":
    serve()
