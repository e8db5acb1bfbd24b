"""Three days of one data folder by a virtual clock: batches come, the machine restarts, the provider is gone for hours.

Sign-ins run out after an hour, results are deleted a day after a batch has ended, batches expire half done, replies
are lost. In the end every answer is here, nothing was made twice, and memory has stayed flat.
Run: python -m tests.crashes.life [HOURS [BATCHES [SEED]]], 72 and 50 where nothing is said.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import httpx

from batchtui.backends.http import Http
from batchtui.config import Config, load_config
from batchtui.engine.plan.planning import create, plan
from batchtui.engine.shared.pool import Backends
from batchtui.engine.worker import Worker
from batchtui.model import ENDED_BATCH_STATES, BatchSpec, LimitsSpec, SourceSpec
from batchtui.store import home
from batchtui.store.files import inbox
from batchtui.store.files.inbox import Command
from batchtui.store.library import Library
from tests.backends.task_api import LONG_KEY, USER_KEY, TaskApi
from tests.crashes.batch_service import BatchService
from tests.crashes.virtual_time import VirtualTime, pages_in_memory

HOUR, DAY = 3600.0, 86_400.0
ROWS, OF_EACH = 8, 4
KEYS = {"LAB_KEY": LONG_KEY, "LAB_USER_KEY": USER_KEY}
REST = Path(__file__).parents[1] / "data" / "rest" / "tasks.toml"


@dataclass
class Outage:
    begin: float
    end: float


@dataclass
class Network:
    """All connections of this world: to a service of batches and to one of tasks, which are gone now and then."""

    virtual: VirtualTime
    service: BatchService
    tasks: TaskApi
    chance: random.Random
    outages: list[Outage] = field(default_factory=list)
    down: bool = False
    """The machine is: what still runs in the old process reaches nobody."""
    seen: Counter[str] = field(default_factory=Counter)
    signed_in: float = 0.0

    def reply(self, request: httpx.Request, body: bytes) -> tuple[int, bytes]:
        now = self.virtual.seconds
        if self.down or any(one.begin <= now < one.end for one in self.outages):
            self.seen["refused"] += not self.down
            raise httpx.ConnectError("nobody is there")
        luck = self.chance.random()
        if luck < 0.02:
            self.seen["failed"] += 1
            return 503, b'{"error": {"message": "try later"}}'
        if request.url.path.startswith("/v1"):
            self._expire()
            answer = self.service.reply(request.method, request.url.raw_path.decode(), body)
        else:
            answer = self._task(request, body)
        if request.method == "POST" and luck > 0.93:
            self.seen["lost replies"] += 1
            raise httpx.ReadError("the reply is lost")
        return answer

    def _expire(self) -> None:
        """Results live for a day."""
        for batch in self.service.batches.values():
            if batch.ended and self.virtual.wall() - batch.ended > DAY and batch.output in self.service.files:
                del self.service.files[batch.output]
                self.seen["results deleted"] += 1

    def _task(self, request: httpx.Request, body: bytes) -> tuple[int, bytes]:
        if self.virtual.seconds - self.signed_in > HOUR and self.tasks.tokens:
            self.tasks.forget_token = True  # some time before it says so itself
            self.seen["sign-ins run out"] += 1
            self.signed_in = self.virtual.seconds
        headers = {name.lower(): value for name, value in request.headers.items()}
        target = request.url.raw_path.decode()
        found = self.tasks.answer(request.method, target, headers, json.loads(body) if body else None)
        assert found is not None
        return found[0], json.dumps(found[1]).encode()


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, network: Network) -> None:
        self._network = network

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = b"".join([part async for part in request.stream])  # type: ignore[union-attr]
        await asyncio.sleep(0.2)
        status, data = self._network.reply(request, body)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(data))


@dataclass
class Lived:
    """What three days came to."""

    batches: int = 0
    restarts: int = 0
    killed: int = 0
    memory: list[int] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def growth(self) -> int:
        """Bytes by which memory grew from the first third to the end."""
        first = self.memory[len(self.memory) // 3 :]
        return first[-1] - first[0] if first else 0

    def __str__(self) -> str:
        seen = ", ".join(f"{count} {what}" for what, count in sorted(self.seen.items()))
        return (
            f"{self.batches} batches, {self.restarts} restarts ({self.killed} of them kills), {seen}; "
            f"memory grew by {self.growth / 1e6:.1f} MB after the first third"
        )


class Life:
    def __init__(self, folder: Path, *, hours: float, batches: int, seed: int) -> None:
        self._folder, self._hours, self._count = folder, hours, batches
        self._chance = random.Random(seed)
        self.virtual = VirtualTime()
        self.service, self.tasks = BatchService(looks=0), TaskApi(seconds=2 * HOUR)
        self.network = Network(self.virtual, self.service, self.tasks, self._chance)
        self.lived = Lived(seen=self.network.seen)
        self._disk = folder / "disk"
        self._data = self._disk / "data"
        self._data.mkdir(parents=True)
        self._config = self._write_config()
        self._worker: Worker | None = None
        self._running: asyncio.Task[None] | None = None

    def _write_config(self) -> Config:
        rest = REST.read_text().replace("URL", "http://127.0.0.1:9/api").replace("0.05", "60")
        text = '[backends.lab]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\npoll_interval = 60\nsettle = 60\n'
        prices = '\n[prices."demo"]\ninput = 1.0\noutput = 2.0\n'
        (self._folder / "config.toml").write_text(text + rest + prices)
        return load_config(self._folder / "config.toml", env=KEYS)

    @property
    def library(self) -> Library:
        return Library(self._data)

    # ---- the machine

    def _boot(self) -> None:
        self.network.down = False
        self._worker = Worker(self.library, Backends(self._config, env=KEYS), drive_all=True)
        self._running = asyncio.create_task(self._worker._run())

    async def _halt(self, *, kill: bool) -> None:
        """Killed, what goes on is a copy of the disk as it stood at that moment."""
        assert self._worker
        assert self._running
        await asyncio.sleep(0)
        if kill:
            self.network.down = True
            self.lived.killed += 1
            copy = self._folder / f"disk-{self.lived.killed}"
            shutil.copytree(self._disk, copy, ignore=shutil.ignore_patterns("lock", "holder.json"))
        assert self._worker._stop
        self._worker._stop.set()
        await self._running
        if kill:
            shutil.rmtree(self._disk)
            copy.rename(self._disk)
        self.lived.restarts += 1

    # ---- three days

    async def live(self) -> None:
        end = self._hours * HOUR
        self._plan_outages(end)
        starts = sorted(self._chance.uniform(0, end - 8 * HOUR) for _ in range(self._count))
        halts = sorted(self._chance.uniform(HOUR, end - 8 * HOUR) for _ in range(int(self._hours / 5)))
        self._boot()
        while self.virtual.seconds < end or not self._all_ended():
            assert self.virtual.seconds < end + 2 * DAY, self._left()
            await asyncio.sleep(600)
            while starts and starts[0] <= self.virtual.seconds:
                starts.pop(0)
                self._begin_batch()
            if halts and halts[0] <= self.virtual.seconds:
                halts.pop(0)
                await self._halt(kill=self._chance.random() < 0.5)
                self.virtual.seconds += self._chance.choice((60.0, 600.0, 9 * HOUR))
                self._boot()
            self._retry_expired()
            self.lived.memory.append(pages_in_memory())
        await self._halt(kill=False)

    def _plan_outages(self, end: float) -> None:
        begin = 0.0
        while (begin := begin + self._chance.uniform(4, 9) * HOUR) < end - 8 * HOUR:
            self.network.outages.append(Outage(begin, begin + self._chance.uniform(0.2, 2.0) * HOUR))

    def _begin_batch(self) -> None:
        number = self.lived.batches
        self.lived.batches += 1
        backend = "tasks" if number % 5 == 4 else "lab"
        rows = self._folder / f"rows-{number}.csv"
        rows.write_text("id,text\n" + "".join(f"b{number}r{n},b{number} row {n}\n" for n in range(ROWS)))
        prompt = {"model": "demo", "prompt": "{{ text }}"}
        spec = BatchSpec(
            name=f"batch {number}",
            backend=backend,
            source=SourceSpec(file=str(rows)),
            job={"input": {"text": "{{ text }}"}} if backend == "tasks" else prompt,
            limits=LimitsSpec(jobs_per_submission=OF_EACH) if backend == "lab" else LimitsSpec(),
        )
        draft = self.library.draft()
        create(plan(spec, self._folder, Backends(self._config, env=KEYS), draft=draft), draft)
        self.service.duration = self._chance.uniform(0.2, 6.0) * HOUR
        self.service.expires_half = self._chance.random() < 0.15

    def _retry_expired(self) -> None:
        """As a person does who sees that the provider gave some rows up."""
        for batch_id in self.library.ids():
            folder = self.library.open(batch_id)
            if folder.state() in ENDED_BATCH_STATES and folder.progress.ended and folder.status().expired:
                if folder.path.joinpath("inbox.jsonl").exists() and (
                    folder.progress.inbox_end < folder.path.joinpath("inbox.jsonl").stat().st_size
                ):
                    continue
                self.network.seen["retries"] += 1
                inbox.post(folder.path, Command(command="retry", args={"status": ["expired"]}))

    def _all_ended(self) -> bool:
        folders = [self.library.open(batch_id) for batch_id in self.library.ids()]
        return len(folders) == self._count and all(
            folder.progress.ended and not folder.status().expired for folder in folders
        )

    def _left(self) -> list[str]:
        found = [self.library.open(batch_id).status(submissions=True) for batch_id in self.library.ids()]
        return [str(status) for status in found if not status.ended or status.expired] or [
            f"{len(found)} batches"
        ]

    def check(self) -> None:
        """Every answer is here, and each was made once."""
        for batch_id in self.library.ids():
            folder = self.library.open(batch_id)
            assert not folder.damage, folder.damage
            status = folder.status()
            assert status.completed == ROWS, status
            assert not status.follows, status.follows
            for n in range(ROWS):
                said = str(folder.result(n).raw_response or folder.result(n).output)
                words = f"{status.name.replace('batch ', 'b')} row {n}"
                assert words in said.lower(), said
        answered = Counter(job for batch in self.service.creates for job in batch.answered)
        assert set(answered.values()) == {1}, [job for job, count in answered.items() if count > 1]
        texts = Counter(task["text"] for task in self.tasks.tasks.values())
        assert set(texts.values()) <= {1}, [text for text, count in texts.items() if count > 1]


def lived(folder: Path, *, hours: float, batches: int, seed: int) -> Lived:
    with mock.patch.object(home, "is_at", return_value=True):
        life = Life(folder, hours=hours, batches=batches, seed=seed)
        with (
            mock.patch.object(Http, "_connect", return_value=_Transport(life.network)),
            mock.patch("os.fsync"),
            mock.patch.dict(os.environ, KEYS | {"BATCHTUI_STATE_DIR": str(folder / "disk" / "state")}),
            contextlib.closing(life.service),
        ):
            life.virtual.run(life.live)
        life.check()
    return life.lived


def main() -> None:
    numbers = [int(number) for number in sys.argv[1:]]
    hours, batches, seed = (*numbers, *(72, 50, 7)[len(numbers) :])
    begin, cpu = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        found = lived(Path(folder), hours=hours, batches=batches, seed=seed)
    spent = f"{time.monotonic() - begin:.0f} s, {time.process_time() - cpu:.0f} s of CPU"
    print(f"a life of {hours} hours, seed {seed}: {found} ({spent})")


if __name__ == "__main__":
    main()
