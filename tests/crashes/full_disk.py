"""No space for a while in the middle of a run: told meanwhile, also by another process, and gone on from by itself.

Run, on an empty file system of about 2 MB: python -m tests.crashes.full_disk FOLDER. Full for 8 s at each moment.
"""

from __future__ import annotations

import contextlib
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from batchtui.model import Json
from tests.cli.cli_help import Cli, until
from tests.crashes.batch_service import BatchService

ROWS, OF_EACH = 40, 2
MOMENTS = (0, 3, 8, 16)
"""Creates after which the space is gone."""
Full = Callable[[subprocess.Popen[str]], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def limited(process: subprocess.Popen[str]) -> Iterator[None]:
    """No file of this process grows above what the note of who drives takes, as on a full disk."""
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (2048, hard))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))


def filled(folder: Path) -> Full:
    """The file system of this folder is full to its last byte."""

    @contextlib.contextmanager
    def full(_: subprocess.Popen[str]) -> Iterator[None]:
        filler = folder / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(512))
        try:
            yield
        finally:
            filler.unlink()

    return full


class FullDisk:
    """One run after the other through a time without space, in a data folder each."""

    def __init__(self, folder: Path, service: BatchService, data: Path) -> None:
        self._service, self._folder = service, folder
        self._cli = Cli(folder, {"BATCHTUI_DATA_DIR": str(data), "BATCHTUI_STATE_DIR": str(folder / "state")})
        service.write_config(folder / "config.toml")
        (folder / "rows.csv").write_text("id,text\n" + "".join(f"q{n},question {n}\n" for n in range(ROWS)))
        (folder / "batch.toml").write_text(
            'name = "k"\nbackend = "openai"\n[source]\nfile = "rows.csv"\n[job]\nmodel = "demo"\n'
            f'prompt = "{{{{ text }}}}"\n[limits]\njobs_per_submission = {OF_EACH}\nsubmissions_at_once = 3\n'
        )

    def status(self) -> dict[str, Json]:
        """As another process tells it."""
        (found,) = self._cli("status", "k", "--json").documents
        return dict(found)

    def disk_words(self) -> list[str]:
        return [item["text"] for item in self.status()["attention"] if item["kind"] == "disk"]

    def through(self, moment: int, full: Full, seconds: float = 0.0) -> str:
        """Full once so many creates were made, until it was told and for so long; what happened, in words."""
        self._service.forget()
        running = self._cli.start("run", "batch.toml", "--yes", "--trust", "--no-input")
        until(lambda: len(self._service.creates) >= moment)
        if moment == 0:
            until(lambda: bool(list(self._data().glob("batches/*/holder.json"))))
        with full(running):
            until(lambda: bool(self.disk_words()))
            (words,) = self.disk_words()
            sent = len(self._service.creates)
            time.sleep(seconds)
            assert self.disk_words() == [words]
            assert len(self._service.creates) == sent, "sent without space"
        out, err = running.communicate(timeout=120)
        assert running.returncode == 0, err
        assert "Traceback" not in err
        assert "the disk is full" in words
        assert str(self._data()) in words
        assert len([line for line in err.splitlines() if line.startswith("the disk is full")]) == 1, err
        assert not self.disk_words()
        self._whole()
        return f"full after {moment} creates, {sent} when it was told: {words[:60]}…; {out.strip()[-60:]}"

    def _data(self) -> Path:
        return Path(self._cli.env["BATCHTUI_DATA_DIR"])

    def _whole(self) -> None:
        assert self.status()["completed"] == ROWS
        said = [row["raw_response"] for row in self._cli("results", "k", "--format", "jsonl").documents]
        assert said == [f"answer to question {n}" for n in range(ROWS)]
        made = self._service.times_made()
        assert len(made) == ROWS
        assert set(made.values()) == {1}


def main() -> None:
    small = Path(sys.argv[1])
    for moment in MOMENTS:
        for left in small.iterdir():
            shutil.rmtree(left)
        folder = small.with_name(f"{small.name}-{moment}")
        folder.mkdir()
        with BatchService(looks=3) as service:
            print(FullDisk(folder, service, small / "data").through(moment, filled(small), 8.0), flush=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
