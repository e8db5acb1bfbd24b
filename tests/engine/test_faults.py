"""A disk that refuses and faults of ours stop nothing for good: told meanwhile, gone on by itself, nothing twice."""

from __future__ import annotations

import errno
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from batchtui.backends.base import Progress, Submission
from batchtui.backends.openai.backend import OpenAIBackend
from batchtui.demo.server import DemoServer
from batchtui.engine.live_batch import LiveBatch
from batchtui.engine.round import Round
from batchtui.engine.shared import pauses
from batchtui.engine.spend.claims import Claims
from batchtui.errors import StoreDamaged
from batchtui.model import Json
from batchtui.store.disk import lines as lines_module
from batchtui.store.files.spend import SpendFile, SpendLine
from batchtui.store.folder import BatchFolder
from batchtui.store.writer import BatchWriter
from tests.engine.bench import Bench, until
from tests.engine.failing_disk import FailingDisk

Served = Callable[..., tuple[Bench, DemoServer]]
JOB: dict[str, Json] = {"prompt": "{{ text }}", "model": "demo-small"}
COUNT: dict[str, Json] = {"command": ["wc", "-w"], "stdin": "{{ text }}"}


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FailingDisk:
    return FailingDisk(monkeypatch)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses grow, and are short."""
    monkeypatch.setattr(pauses, "delay", lambda fails, asked=None, most=60.0: asked or 0.02 * fails)


def sent(server: DemoServer) -> Counter[str]:
    """How often each job was paid for."""
    paid = [
        entry for entry in server.ledger() if entry["op"] in ("create", "chat") and entry["status"] == 200
    ]
    return Counter(job for entry in paid for job in entry["job_ids"])


def events(folder: BatchFolder, name: str) -> list[dict[str, Json]]:
    lines = (json.loads(line) for line in (folder.path / "events.jsonl").read_bytes().splitlines())
    return [event for event in lines if event["event"] == name]


def whole(folder: BatchFolder, rows: int) -> None:
    """All results are there, each once, and nothing needs anybody."""
    status = folder.status()
    assert (status.completed, status.attention) == (rows, [])
    assert all(folder.result(n).status == "completed" for n in range(rows))
    again = BatchFolder(folder.path)
    again.refresh()
    assert again.damage == []
    assert len(events(again, "result")) == rows


@pytest.mark.parametrize("moment", [1, 9, 25, 45])
@pytest.mark.parametrize("backend", ["openai", "chat", "local"])
def test_a_full_disk_is_told_and_the_batch_goes_on_by_itself(
    served: Served, disk: FailingDisk, backend: str, moment: int
) -> None:
    bench, server = served()
    limits: dict[str, Json] = (
        {"jobs_per_submission": 4, "submissions_at_once": 2} if backend == "openai" else {}
    )
    folder = bench.create(bench.spec(backend, 20, COUNT if backend == "local" else JOB, **limits))
    disk.writes, disk.full_after = 0, moment
    bench.worker.drive(folder.id)
    until(lambda: bench.worker.folder(folder.id) is not None)
    folder = bench.known(folder.id)
    until(lambda: [item.kind for item in folder.status().attention] == ["disk"], "that the disk is full")
    (told,) = folder.status().attention
    assert told.text.startswith("the disk is full: ")
    assert str(folder.path) in told.text or "spend.jsonl" in told.text
    assert [line for line in bench.worker.log() if line.told and "the disk is full" in line.text]
    assert bench.worker.blocked(folder.id) is None
    before, refused = sent(server), disk.refusals
    until(lambda: disk.refusals > refused + 2)
    assert sum(sent(server).values()) <= sum(before.values()) + 8  # what was under way, and nothing new
    disk.space()
    until(lambda: folder.state() == "completed")
    until(lambda: folder.status().ended)
    whole(folder, 20)
    if backend != "local":
        assert sent(server) == {f"r{n}": 1 for n in range(20)}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("backend", ["openai", "chat"])
def test_writes_that_fail_now_and_then_lose_nothing_and_pay_nothing_twice(
    served: Served, disk: FailingDisk, backend: str, number: int
) -> None:
    bench, server = served()
    limits: dict[str, Json] = {"jobs_per_submission": 5} if backend == "openai" else {}
    folder = bench.create(bench.spec(backend, 40, JOB, **limits))
    disk.share, disk.number = 0.05, number
    bench.worker.drive(folder.id)
    until(lambda: bench.worker.folder(folder.id) is not None)
    folder = bench.known(folder.id)
    until(lambda: folder.status().ended)
    disk.space()
    assert disk.refusals
    until(lambda: not folder.status().attention)
    whole(folder, 40)
    assert sent(server) == {f"r{n}": 1 for n in range(40)}


def test_a_disk_that_is_full_from_the_start_is_waited_for(served: Served, disk: FailingDisk) -> None:
    bench, server = served()
    folder = bench.create(bench.spec("openai", 3, JOB))
    disk.writes, disk.full_after = 0, 0
    bench.worker.drive(folder.id)
    until(lambda: bench.worker.folder(folder.id) is not None)
    folder = bench.known(folder.id)
    until(lambda: [item.kind for item in folder.status().attention] == ["disk"])
    assert sent(server) == {}
    disk.space()
    until(lambda: folder.status().ended)
    whole(folder, 3)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_what_a_batch_cost_that_cannot_be_written_at_its_end_is_told_and_written_once_it_can(
    served: Served, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    bench, _ = served()
    really, refusals = SpendFile._append, 3

    def append(file: SpendFile, lines: list[SpendLine]) -> None:
        nonlocal refusals
        if any(claim is None for line in lines for claim in line.claims.values()) and refusals:
            refusals -= 1
            raise lines_module._full(file.path, fault) from fault
        really(file, lines)

    fault = OSError(number, os.strerror(number))
    monkeypatch.setattr(SpendFile, "_append", append)
    monkeypatch.setattr(Claims, "balance", lambda claims: None)  # the last round came before the last row
    folder = bench.run(bench.spec("openai", 3, JOB | {"max_tokens": 50}, cost_usd=9.0))
    assert folder.status().ended
    assert refusals == 0
    words = "the disk is full" if number == errno.ENOSPC else "the disk refuses"
    assert [
        line for line in bench.worker.log() if line.told and words in line.text and "spend.jsonl" in line.text
    ]
    ledger = SpendFile(bench.library.data_dir).read()
    assert ledger.claims == {}
    assert sum(ledger.spent[folder.id].values()) == folder.progress.cost_nano
    whole(folder, 3)


def test_a_file_of_money_that_cannot_be_relied_on_at_the_end_is_told(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, _ = served()
    really = SpendFile._take

    def take(file: SpendFile, line: bytes) -> None:
        if closing:
            raise StoreDamaged(f"{file.path}: written by a newer batchtui")
        really(file, line)

    closing = False
    close = Claims.close

    async def damaged(claims: Claims) -> None:
        nonlocal closing
        closing = True
        claims._spending.file._end = 0
        claims._spending.file._file_id = None
        await close(claims)

    monkeypatch.setattr(SpendFile, "_take", take)
    monkeypatch.setattr(Claims, "close", damaged)
    folder = bench.run(bench.spec("openai", 3, JOB | {"max_tokens": 50}, cost_usd=9.0))
    assert folder.status().ended
    assert [line for line in bench.worker.log() if line.told and "stays reserved" in line.text]


def test_a_fault_of_one_batch_at_the_poller_does_not_end_the_others(
    served: Served, monkeypatch: pytest.MonkeyPatch, soon: None
) -> None:
    bench, _ = served()
    good = bench.create(bench.spec("openai", 3, JOB))
    bad = bench.create(bench.spec("openai", 4, JOB))
    really, broken = OpenAIBackend.poll, True

    async def poll(self: OpenAIBackend, asked: Sequence[Submission]) -> dict[int, Progress]:
        if broken and any(bad.id in one.token for one in asked):
            raise KeyError("what this one answers")
        return await really(self, asked)

    monkeypatch.setattr(OpenAIBackend, "poll", poll)
    for folder in (good, bad):
        bench.worker.drive(folder.id)
    until(lambda: bench.worker.folder(good.id) and bench.known(good.id).state() == "completed")
    folder = bench.known(bad.id)
    until(lambda: [item.kind for item in folder.status().attention] == ["fault"])
    broken = False
    until(lambda: folder.state() == "completed")
    assert folder.status().attention == []


def test_a_fault_in_the_round_of_one_batch_rests_is_told_and_is_tried_again(
    served: Served, monkeypatch: pytest.MonkeyPatch, soon: None
) -> None:
    bench, _ = served()
    folder = bench.create(bench.spec("openai", 3, JOB))
    really, faults = Round._step, 3

    def step(self: Round) -> None:
        nonlocal faults
        if faults:
            faults -= 1
            raise RuntimeError("a fault of its own")
        really(self)

    monkeypatch.setattr(Round, "_step", step)
    folder = bench.drive(folder.id)
    assert folder.state() == "completed"
    assert folder.status().attention == []
    (told,) = events(folder, "attention")
    assert told["kind"] == "fault"
    assert "RuntimeError: a fault of its own" in told["text"]


def test_a_fault_while_a_batch_is_opened_is_tried_again(
    served: Served, monkeypatch: pytest.MonkeyPatch, soon: None
) -> None:
    bench, _ = served()
    really, faults = BatchWriter._recover_results, 2

    def recover(self: BatchWriter) -> None:
        nonlocal faults
        if faults:
            faults -= 1
            raise RuntimeError("a fault of its own")
        really(self)

    monkeypatch.setattr(BatchWriter, "_recover_results", recover)
    folder = bench.run(bench.spec("openai", 3, JOB))
    assert folder.state() == "completed"
    assert folder.status().attention == []
    assert sum("a fault of its own" in line.text for line in bench.worker.log()) == 1


def test_a_create_that_ends_in_a_fault_of_ours_is_looked_up_before_anything_else(
    served: Served, monkeypatch: pytest.MonkeyPatch, soon: None
) -> None:
    bench, server = served()
    really, faults = OpenAIBackend.submit, 1

    async def submit(self: OpenAIBackend, *args: object) -> str:
        nonlocal faults
        made = await really(self, *args)  # type: ignore[arg-type]
        if faults:
            faults -= 1
            raise ValueError("what the reply says makes no sense")
        return made

    monkeypatch.setattr(OpenAIBackend, "submit", submit)
    folder = bench.run(bench.spec("openai", 3, JOB))
    assert folder.status().completed == 3
    assert sent(server) == {"r0": 1, "r1": 1, "r2": 1}


def test_a_direct_job_whose_answer_meets_a_fault_of_ours_is_not_paid_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, server = served()

    async def keep(self: LiveBatch, *args: object, **facts: object) -> None:
        raise TypeError("a fault of its own")

    monkeypatch.setattr(LiveBatch, "keep", keep)
    folder = bench.run(bench.spec("chat", 2, JOB))
    assert folder.status().failed == 2
    assert "internal" in (folder.result(0).error_kind or "")
    assert sent(server) == {"r0": 1, "r1": 1}


def test_what_the_disk_says_names_the_path(tmp_path: Path) -> None:
    from batchtui.store.disk.lines import disk_words, is_disk

    full = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "x"))
    assert is_disk(full)
    assert disk_words(full).startswith(f"the disk is full: {tmp_path / 'x'}: ")
    failing = OSError(errno.EIO, "Input/output error", "y")
    assert is_disk(failing)
    assert "refuses" in disk_words(failing)
    assert not is_disk(OSError(errno.ECONNRESET, "gone"))
    assert not is_disk(ValueError())


SAYS = 'import sys; sys.exit("cp: error writing: No space left on device")'


@pytest.mark.parametrize(
    "job",
    [
        {"command": ["python3", "-c", SAYS]},
        {"command": ["sh", "-c", "echo 'Disk quota exceeded' >&2; exit 2"]},
        {"call": "full:disk", "python_path": ["."]},
    ],
)
def test_a_job_that_failed_for_want_of_space_says_so(bench: Bench, job: dict[str, Json]) -> None:
    module = "import errno, os\ndef disk(**row):\n    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), 'x')\n"
    (bench.folder_path / "full.py").write_text(module)
    folder = bench.run(bench.spec("local", 1, job, retries=0))
    result = folder.result(0)
    assert (result.status, result.error_kind) == ("failed", "disk")
    assert "the disk is full" in (result.error or "")


def test_a_program_that_could_say_nothing_on_a_full_disk_is_told_from_one_that_fails(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bench.run(bench.spec("local", 1, {"command": ["false"]}))
    assert (folder.result(0).error_kind, folder.result(0).error) == ("exit", "exit 1")

    class Full:
        f_blocks, f_bavail, f_frsize = 512, 3, 4096

    monkeypatch.setattr("os.statvfs", lambda place: Full)
    folder = bench.run(bench.spec("local", 2, {"command": ["false"]}))
    assert folder.result(0).error_kind == "disk"
    assert "exit 1: the disk is full (" in (folder.result(0).error or "")
