"""A batchtui process that is killed with signal 9 at points of our choosing, and the store it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library

DEADLINE = 60.0


class Victim:
    """Runs commands of batchtui over one data folder and config."""

    def __init__(self, data_dir: Path, config: Path | None = None) -> None:
        self.data_dir = data_dir
        self.env = {
            key: value for key, value in os.environ.items() if not key.startswith(("BATCHTUI_", "OPENAI_"))
        }
        self.env["BATCHTUI_DATA_DIR"] = str(data_dir)
        self.env["BATCHTUI_CONFIG"] = str(config or data_dir / "none.toml")
        if config is None:
            data_dir.mkdir(parents=True, exist_ok=True)
            (data_dir / "none.toml").write_text("")

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "batchtui", *arguments],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def finish(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[bytes]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=timeout)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def kill_when(self, process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> bool:
        """Kill once `ready`; False where the process had ended by itself before."""
        deadline = time.monotonic() + DEADLINE
        while not ready():
            if process.poll() is not None:
                _, err = process.communicate()
                assert process.returncode == 0, err.decode()
                return False
            assert time.monotonic() < deadline, "the point to kill at never came"
            time.sleep(0.002)  # a poll of files, not a wait for a result
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True

    def kill_often(
        self,
        batch: Path,
        kills: int,
        *,
        grows: str = "events.jsonl",
        steps: Callable[[], int],
        after: Callable[[], object] | None = None,
    ) -> int:
        """Run a batch file, and kill it each time a file of its folder has grown by as many bytes as `steps` says.

        `after` is called after each kill. How often it was killed: fewer than `kills` where it ended by itself.
        """
        arguments: tuple[str, ...] = ("run", "--trust", str(batch))
        for done in range(kills):
            wanted = self.size(grows) + steps()
            if not self.kill_when(self.start(*arguments), partial(self._is_past, grows, wanted)):
                return done
            arguments = ("resume", self.folder().id)
            if after:
                after()
        return kills

    def _is_past(self, name: str, size: int) -> bool:
        return self.size(name) > size

    def resume(self, timeout: float = 120) -> BatchFolder:
        """Drive the batch to an end at which every job completed; its folder."""
        ended = self.finish("resume", self.folder().id, timeout=timeout)
        assert ended.returncode == 0, ended.stderr.decode()
        return self.folder()

    # ---- what it left behind

    @property
    def library(self) -> Library:
        return Library(self.data_dir)

    def folder(self) -> BatchFolder:
        (batch_id,) = self.library.ids()
        return self.library.open(batch_id)

    def size(self, name: str) -> int:
        """Bytes of a file of the only batch; 0 while there is none."""
        ids = self.library.ids()
        try:
            return (self.data_dir / "batches" / ids[0] / name).stat().st_size if ids else 0
        except FileNotFoundError:
            return 0

    def stored_ids(self) -> set[str]:
        """Ids of the jobs with a whole line in results.jsonl."""
        path = self.folder().path / "results.jsonl"
        if not path.exists():
            return set()
        whole = path.read_bytes().rpartition(b"\n")[0]
        return {json.loads(line)["job_id"] for line in whole.split(b"\n")[1:] if line}
