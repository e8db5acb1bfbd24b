"""The command line as users meet it: a process, its two streams and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from batchtui.model import Json

ROOT = Path(__file__).parents[2]
PENGUINS = ROOT / "tests/data/inputs/penguins.csv"
PROMPT = ("--set", "job.model=demo-small", "--set", "job.prompt=Describe {{ species }} of {{ year }}")


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def documents(self) -> list[Json]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Cli:
    """Runs `python -m batchtui` over a data folder of its own."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        own = {
            "BATCHTUI_DATA_DIR": str(self.folder / "data"),
            "BATCHTUI_CONFIG": str(self.folder / "config.toml"),
            "BATCHTUI_STATE_DIR": str(self.folder / "state"),
            "PYTHONPATH": str(ROOT),
        }
        return kept | own | self.env | more

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "batchtui", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=self.environment(**more),
            cwd=self.folder,
        )

    def __call__(self, *arguments: str, stdin: str = "", **more: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "batchtui", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=self.environment(**more),
            cwd=self.folder,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    def local(self, command: Sequence[str], *arguments: str, name: str = "birds") -> Ran:
        """Run that command for every penguin."""
        return self("run", str(PENGUINS), *local_options(command, name), *arguments)


def local_options(command: Sequence[str], name: str) -> list[str]:
    return [
        "--backend",
        "local",
        "--set",
        f"job.command={json.dumps(list(command))}",
        "--set",
        f"name={name}",
    ]


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for the thing."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
