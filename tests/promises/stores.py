"""Stores of a batch at a demo server, ended or half done, and any number of them that begin as that one stands."""

from __future__ import annotations

import collections
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from batchtui.model import SubmissionState
from batchtui.store.files import inbox
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from tests.cli.cli_help import Cli
from tests.engine.bench import until
from tests.promises.inside import Inside
from tests.store.store_help import drive

JOBS, APIECE = 12, 3
BATCH = f"""name = "k"
backend = "openai"
[source]
file = "rows.csv"
[job]
model = "demo-small"
prompt = "{{{{ text }}}}"
[limits]
jobs_per_submission = {APIECE}
submissions_at_once = 1
"""


class Stored:
    """A batch of twelve jobs in four submissions, made once. `begin` gives a store as that one was left."""

    def __init__(self, folder: Path, server: DemoServer, *, half: bool) -> None:
        self.folder, self.server, self.half = folder, server, half
        self.config = folder / "config.toml"
        server.write_config(self.config)
        (folder / "rows.csv").write_text("id,text\n" + "".join(f"q{n},Question {n}\n" for n in range(JOBS)))
        (folder / "k.toml").write_text(BATCH)
        cli = Cli(folder)
        run = cli.start("run", "k.toml", "--yes", "--trust", "--no-input")
        if half:  # killed with the third of its submissions at the server
            until(lambda: len(self.paid()) == 3 * APIECE)
            until(lambda: self._stands(SubmissionState.SUBMITTED, SubmissionState.PROCESSING))
            run.kill()
        _, err = run.communicate(timeout=60)
        assert half or run.returncode == 0, err
        (self.id,) = Library(folder / "data").ids()

    def _stands(self, *states: SubmissionState) -> bool:
        (batch_id,) = Library(self.folder / "data").ids()
        found = Library(self.folder / "data").open(batch_id).progress.submissions
        return len(found) == 3 and found[3].state in states

    def paid(self) -> collections.Counter[str]:
        """How often each job was sent for money."""
        made = [entry for entry in self.server.ledger() if entry["op"] == "create" and entry["status"] == 200]
        return collections.Counter(job for entry in made for job in entry["job_ids"])

    @contextmanager
    def begin(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Inside]]:
        """The batch's folder in a data folder of its own, no copy but the one that sends, and commands over it."""
        shutil.copytree(self.folder / "data", place / "data")
        with monkeypatch.context() as patched:
            patched.setenv("BATCHTUI_STATE_DIR", str(place / "state"))
            path = Library(place / "data").path(self.id)
            writer = drive(BatchFolder(path))
            writer.take_home()
            writer.close()
            if self.half:  # whoever is killed saves no columns
                (path / "checkpoint.json").unlink()
            inbox.post(path, inbox.Command(command="tag", args={"add": ["seen"]}))
            yield path, Inside(place / "data", self.config)
        shutil.rmtree(place)
