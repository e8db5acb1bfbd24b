"""What a batch of the laboratory is: the files that make it, its points, and how often each job was done.

Every shape has jobs q0, q1, …, all of which complete. What was done is told by the other side alone: the ledger of the
demo server, or what the programs wrote down themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from batchtui.demo.server import DemoServer
from batchtui.model import Json
from batchtui.store.folder import BatchFolder
from tests import extras

FILES = ("upload.before", "upload.middle", "upload.after", "note.after")
SENDING = (
    "intent.before", "intent.after", "create.before", "create.middle", "create.after",
    "reply.before", "reply.after", "record.before", "record.after",
)  # fmt: skip
RESULTS = ("result.before", "result.middle", "result.after")
COLUMNS = ("checkpoint.before", "checkpoint.middle", "checkpoint.after")


@dataclass(frozen=True)
class Shape:
    """A kind over the demo server; `jobs` go in submissions of `each`."""

    name: str
    jobs: int = 24
    each: int = 4
    sends: ClassVar[tuple[str, ...]] = SENDING
    """Points on the way there that this kind passes."""
    comes: ClassVar[tuple[str, ...]] = (*RESULTS, "collected.before", "collected.after")
    """Points on the way home that it passes."""
    direct: ClassVar[bool] = False
    """Jobs are done at least once, and what may have been done twice is counted."""
    extra: ClassVar[str] = ""

    @property
    def points(self) -> tuple[str, ...]:
        return (*self.sends, *self.comes, *COLUMNS)

    @property
    def ids(self) -> list[str]:
        return [f"q{n}" for n in range(self.jobs)]

    @property
    def lacks(self) -> str:
        """Why it cannot be run here; empty where it can."""
        return extras.reason(self.extra) if self.extra and not extras.has(self.extra) else ""

    def place(self, stack: ExitStack) -> dict[str, str]:
        """Set up what it runs on, once for a laboratory; the variables that lead there."""
        return {}

    def prepare(self, folder: Path, server: DemoServer) -> Path:
        """Write the config and the batch file, which is answered."""
        server.write_config(folder / "config.toml")
        batch = folder / "batch.toml"
        batch.write_text(f'name = "kills"\nbackend = "{self.name}"\n{self.text(folder)}')
        return batch

    def text(self, folder: Path) -> str:
        raise NotImplementedError

    def rows(self, folder: Path) -> str:
        (folder / "rows.csv").write_text("id\n" + "".join(f"{one}\n" for one in self.ids))
        return '[source]\nfile = "rows.csv"\n'

    def done(self, folder: Path, server: DemoServer) -> Counter[str]:
        """How often each job was done."""
        return Counter(one for entry in made(server) for one in entry["job_ids"])

    def creates(self, folder: Path, server: DemoServer) -> int:
        return len(made(server))

    def unheard(self, folder: Path, server: DemoServer) -> int:
        """Creates and calls whose reply reached nobody."""
        return sum(not entry["answered"] for op in ("create", "chat") for entry in made(server, op))

    def told(self, folder: BatchFolder) -> Iterator[tuple[str, Json]]:
        """What each job came to, apart from what differs between two runs."""
        for n in range(len(folder.jobs)):
            result = folder.result(n)
            yield result.job_id, [result.status, self.answer(result.raw_response, result.output)]

    def answer(self, raw: str | None, output: Json) -> Json:
        return raw


def made(server: DemoServer, op: str = "create") -> list[dict[str, Json]]:
    return [entry for entry in server.ledger() if (entry["op"], entry["status"]) == (op, 200)]
