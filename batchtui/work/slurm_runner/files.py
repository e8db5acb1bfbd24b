"""The run folder as an element sees it: its tasks, its result file, its log."""

from __future__ import annotations

import json
import os
import socket
import time
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol, TypeAlias

    Record: TypeAlias = dict[str, Any]
    Task: TypeAlias = dict[str, Any]

    class Around(Protocol):
        """What an element is to those who do one of its tasks."""

        run: Record
        scratch: str

        @property
        def retries(self) -> int: ...
        def skip(self, task: Task) -> bool: ...
        def rest(self, attempt: int) -> None: ...
        def tick(self, task: Task, begun: float, least: float = 0.0) -> None: ...
        def leave_if_shot(self) -> None: ...
        def record(self, task: Task, begun: float, attempt: int, **facts: Any) -> None: ...


SYNC_SECONDS = 1.0
FOLDER_SIZE = 1000
"""Result files in one folder."""


ENDINGS = {"results": "jsonl", "tables": "z"}
PACKING = 1
"""Of zlib: case118's tables in a third of their bytes for 0.2 ms."""


def place(folder: str, kind: str, element: int, restart: int | None = None) -> str:
    """The path of an element's file: `results/0/12.0.jsonl`; without a restart its folder."""
    group = os.path.join(folder, kind, str(element // FOLDER_SIZE))
    return group if restart is None else os.path.join(group, f"{element}.{restart}.{ENDINGS[kind]}")


def claim(folder: str, array: str) -> bool:
    """Whether the run folder is this array's: the first one that starts takes it, a second one does nothing."""
    path = os.path.join(folder, "array")
    mine = f"{path}.{array}.{socket.gethostname()}.{os.getpid()}"
    with open(mine, "w") as file:
        file.write(array)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(mine, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(mine)
    with open(path) as file:
        return file.read() == array


def finished(folder: str, element: int) -> set[int]:
    """Tasks of an element that have a result, from any of its restarts; a torn last line is none."""
    group = place(folder, "results", element)
    done: set[int] = set()
    for name in os.listdir(group) if os.path.isdir(group) else ():
        if name.startswith(f"{element}."):
            with open(os.path.join(group, name), "rb") as file:
                for line in file:
                    try:
                        done.add(json.loads(line)["task"])
                    except (ValueError, KeyError, TypeError):
                        continue
    return done


def tasks(folder: str, run: Record, element: int) -> Iterator[Task]:
    """The element's lines of tasks.jsonl."""
    if element >= len(run["starts"]):
        return
    with open(os.path.join(folder, "tasks.jsonl"), "rb") as file:
        file.seek(run["starts"][element])
        for _ in range(run["chunk"]):
            line = file.readline()
            if not line:
                return
            yield json.loads(line)


class Results:
    """The element's result file, and beside it the tables that results carry."""

    def __init__(self, folder: str, element: int, restart: int) -> None:
        self._paths = {kind: place(folder, kind, element, restart) for kind in ("results", "tables")}
        self._files: dict[str, int] = {}
        self._open("results")
        self._synced, self._dirty = time.monotonic(), False

    def write(self, record: Record) -> None:
        """Append it. The tables of a task's value go to a file of their own: the value then says where they are."""
        value = record.get("value")
        if record.get("form") == "task" and isinstance(value, dict) and isinstance(value.get("tables"), dict):
            value["tables_at"] = self._keep(value.pop("tables"))
        write_all(self._open("results"), json.dumps(record, separators=(",", ":")).encode() + b"\n")
        self._dirty = True
        self.sync_if_due()

    def _keep(self, tables: Record) -> Record:
        fd = self._open("tables")
        data = zlib.compress(json.dumps(tables, separators=(",", ":")).encode(), PACKING)
        offset = os.fstat(fd).st_size
        write_all(fd, data)
        return {"file": self._paths["tables"], "offset": offset, "length": len(data), "packed": "zlib"}

    def _open(self, kind: str) -> int:
        if kind not in self._files:
            path = self._paths[kind]
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._files[kind] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return self._files[kind]

    def sync_if_due(self) -> None:
        if self._dirty and time.monotonic() - self._synced >= SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Tables first: a result never points at what is not there."""
        for kind in ("tables", "results"):
            if kind in self._files:
                os.fsync(self._files[kind])
        self._synced, self._dirty = time.monotonic(), False


def write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def say(words: str) -> None:
    """A line of the element's log, with the time in UTC."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    write_all(1, f"{at} {words}\n".encode("utf-8", "backslashreplace"))
