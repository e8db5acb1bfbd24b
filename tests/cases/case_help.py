"""Inputs that people reported with other tools, run as they would run them: the command line over a canned server."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from batchtui.model import Json
from tests.cli.cli_help import Cli, Ran

CASES = Path(__file__).parents[1] / "data/cases"
_PLACES = {"reply_server.py": "8099/v1", "batch_server.py": "8098/v1", "rest_server.py": "8097"}


@dataclass
class Server:
    """A canned server that runs; `calls` are the requests that it got, as it tells them itself."""

    base_url: str

    @property
    def calls(self) -> Json:
        root = self.base_url.removesuffix("/v1")
        with urllib.request.urlopen(f"{root}/__calls", timeout=10) as reply:
            told: Json = json.load(reply)
        return told


@dataclass
class Case:
    """A folder of `tests/data/cases`, copied, with a data folder and a config of its own."""

    folder: Path
    cli: Cli

    @contextmanager
    def serve(self, script: str, *arguments: str) -> Iterator[Server]:
        """Start a server of `tools/` on a free port and point the config's backend at it.

        `reply_server.py FILE` answers a chat's posts, `batch_server.py FILE [--ready-after S]
        [--output-id-length N]` is Files and Batches, `rest_server.py FILE` a task API. The file is one of the case's
        folder.
        """
        file, *rest = arguments
        process = subprocess.Popen(
            [sys.executable, str(CASES / "tools" / script), file, "0", *rest],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["base_url"]
            config = (CASES / "tools/config.toml").read_text(encoding="utf-8")
            old = f"http://127.0.0.1:{_PLACES[script]}"
            assert old in config
            self.cli.folder.joinpath("config.toml").write_text(config.replace(old, url), encoding="utf-8")
            yield Server(url)
        finally:
            process.kill()
            process.communicate()

    def run(self, *arguments: str, **environment: str) -> Ran:
        """`batchtui ARGUMENTS` from inside the case's folder."""
        return self.cli(*arguments, **environment)

    def rows(self, out: str = "out.jsonl") -> list[dict[str, Json]]:
        """The results that a run wrote with `--out`, in source order."""
        lines = (self.folder / out).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


def copied(name: str, to: Path) -> Case:
    """That case in a folder of its own below `to`; an unknown name starts an empty one, for inputs of a test's own."""
    folder = to / "case"
    if (CASES / name).is_dir():
        shutil.copytree(CASES / name, folder)
    else:
        folder.mkdir()
    config = folder / "config.toml"
    if not config.exists():
        config.write_text("", encoding="utf-8")
    return Case(folder, Cli(folder))
