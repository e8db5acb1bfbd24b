"""Pages and text of PDFs, asked of a process that can be ended; needs the extra `docs` (pypdf)."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from batchtui.backends.attachments import pdf_look
from batchtui.backends.attachments.files import Attached
from batchtui.model import Json

PATIENCE = 20.0
"""Seconds for one PDF."""
BUDGET = 60.0
"""Seconds for all PDFs of a batch; what is not looked at by then is sent all the same."""
_REMEMBERED = 10_000
_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONUSERBASE",
    "VIRTUAL_ENV",
    "TMPDIR",
)


@dataclass(frozen=True, slots=True)
class PdfFacts:
    """What is known of a PDF. `error`: why nothing is; `late`: it was not looked at, for want of time."""

    pages: int | None = None
    locked: bool = False
    looked: int = 0
    with_text: int = 0
    blank: bool = False
    error: str = ""
    late: bool = False


_Key = tuple[str, int, int, bool]
_known: OrderedDict[_Key, PdfFacts] = OrderedDict()


def available() -> bool:
    return find_spec("pypdf") is not None


class PdfLooker:
    """Looks at PDFs one by one; the process starts with the first one that is not known yet. Close it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._spent = 0.0

    def look(self, one: Attached, *, text: bool) -> PdfFacts:
        key = (str(one.path), one.size, one.changed, text)
        if key not in _known:
            if self._spent >= BUDGET:
                return PdfFacts(late=True)
            began = time.monotonic()
            _known[key] = self._ask({"path": str(one.path), "text": text})
            self._spent += time.monotonic() - began
            if len(_known) > _REMEMBERED:
                _known.popitem(last=False)
        return _known[key]

    def _ask(self, question: dict[str, Json]) -> PdfFacts:
        process = self._started()
        assert process.stdin
        assert process.stdout
        line = b""
        deadline = time.monotonic() + PATIENCE
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            while not line.endswith(b"\n"):
                ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
                if not ready:
                    self.close()
                    return PdfFacts(error=f"took longer than {PATIENCE:g} s")
                piece = os.read(process.stdout.fileno(), 1 << 16)
                if not piece:
                    raise BrokenPipeError
                line += piece
            answer = json.loads(line)
            return PdfFacts(**answer)
        except (OSError, ValueError, TypeError):
            self.close()
            return PdfFacts(error="ended the program that looked at it")

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(Path(pdf_look.__file__))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={name: value for name in _PASSED_ON if (value := os.environ.get(name)) is not None},
                bufsize=0,
            )
        return self._process

    def close(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
