"""Batches made elsewhere: taken over by their id, joined by id, collected like any other, and never submitted."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import httpx
import pytest

from batchtui.backends.base import Remote
from batchtui.demo.server import DemoServer
from batchtui.engine.adopt.adopting import Adopted, adopt
from batchtui.engine.plan.compose.composition import Composition
from batchtui.errors import BadInput, NotFound
from batchtui.model import BatchSpec, Json, SourceSpec
from batchtui.store.folder import BatchFolder
from tests.engine.bench import Bench, until
from tests.engine.test_many_backends import prompted
from tests.engine.test_remote import JOB, Served, creates
from tests.engine.victim import Victim

CHAT = "/v1/chat/completions"


def elsewhere(server: DemoServer, ids: list[str], **create: Json) -> str:
    """A batch that somebody made with a client of their own; its remote id."""
    lines = [
        {
            "custom_id": custom_id,
            "method": "POST",
            "url": CHAT,
            "body": {"model": "demo-small", "messages": [{"role": "user", "content": f"about {custom_id}"}]},
        }
        for custom_id in ids
    ]
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    with httpx.Client(base_url=server.url) as client:
        file = client.post("/v1/files", data={"purpose": "batch"}, files={"file": ("in.jsonl", data)}).json()
        asked = {"input_file_id": file["id"], "endpoint": CHAT, "completion_window": "24h"} | create
        return str(client.post("/v1/batches", json=asked).json()["id"])


def forget_input(server: DemoServer, remote_id: str) -> None:
    with httpx.Client(base_url=server.url) as client:
        file_id = client.get(f"/v1/batches/{remote_id}").json()["input_file_id"]
        client.delete(f"/v1/files/{file_id}").raise_for_status()


def taken(bench: Bench, remote_id: str, source: SourceSpec | None = None, backend: str = "openai") -> Adopted:
    there = bench.backends.get(backend)
    assert isinstance(there, Remote)
    joined = None
    if source:
        spec = BatchSpec(name="joined", backend=backend, source=source)
        joined = Composition(spec, bench.folder_path, bench.backends, None, "joined")

    async def ask() -> Adopted:
        try:
            return await adopt(bench.library, there, remote_id, source=joined)
        finally:
            await bench.backends.close()

    return asyncio.run(ask())


def results(folder: BatchFolder) -> list[tuple[str, str]]:
    return [(result.job_id, result.status) for result in map(folder.result, range(len(folder.jobs)))]


def test_jobs_are_rebuilt_from_the_input_file(served: Served) -> None:
    bench, server = served()
    remote_id = elsewhere(server, ["a", "job-1", "x" * 64, "deadbeef-b"])
    adopted = taken(bench, remote_id)
    assert adopted.folder.header.total == 4
    folder = bench.drive(adopted.folder.id)
    assert results(folder) == [(id_, "completed") for id_ in ("a", "job-1", "x" * 64, "deadbeef-b")]
    assert folder.result(0).row["body"]["messages"][0]["content"] == "about a"
    assert folder.result(0).batch_id == remote_id
    assert folder.result(0).cost_usd
    assert len(creates(server)) == 1
    (submission,) = bench.status(folder).submissions or []
    assert (submission.remote_id, submission.jobs, submission.status) == (remote_id, 4, "collected")


def test_what_failed_can_be_sent_again(served: Served) -> None:
    bench, server = served("partial=0.5,seed=1")
    folder = bench.drive(taken(bench, elsewhere(server, [f"r{n}" for n in range(20)])).folder.id)
    failed = folder.status().failed
    assert failed
    bench.ask(folder, "retry")
    until(lambda: not bench.worker.drives(folder.id))
    assert [len(entry["job_ids"]) for entry in creates(server)] == [20, failed]
    assert folder.status().completed > 20 - failed


def test_without_an_input_file_jobs_are_born_from_the_results(served: Served) -> None:
    bench, server = served("duration=600ms")
    ids = [f"r{n}" for n in range(30)]
    remote_id = elsewhere(server, ids)
    forget_input(server, remote_id)
    adopted = taken(bench, remote_id)
    assert "its jobs will be known with their results" in adopted.notes[0]
    assert adopted.folder.status().total is None
    other = bench.library.open(adopted.folder.id)
    other.refresh()
    folder = bench.drive(adopted.folder.id)
    assert sorted(results(folder)) == sorted((id_, "completed") for id_ in ids)
    status = folder.status()
    assert (status.total, status.completed, status.status) == (30, 30, "completed")
    assert other.refresh()
    assert sorted(results(other)) == sorted(results(folder))
    again = bench.library.open(adopted.folder.id)
    assert again.status().completed == 30
    assert len(creates(server)) == 1


@pytest.mark.parametrize("kept", [True, False])
def test_jobs_are_joined_to_a_source(served: Served, kept: bool) -> None:
    bench, server = served()
    remote_id = elsewhere(server, ["r2", "0a0b0c0d-r0", "r1", "r9"])
    if not kept:
        forget_input(server, remote_id)
    rows = bench.folder_path / "rows.csv"
    rows.write_text("id,text\nr0,nought\nr1,one\nr2,two\n")
    adopted = taken(bench, remote_id, SourceSpec(file=str(rows)))
    folder = bench.drive(adopted.folder.id)
    done = [("r0", "completed"), ("r1", "completed"), ("r2", "completed")]
    assert results(folder) == ([*done, ("r9", "completed")] if kept else done)
    assert [folder.result(n).row["text"] for n in range(3)] == ["nought", "one", "two"]
    assert "about r2" in str(folder.result(2).row.get("body", "about r2"))
    assert len(creates(server)) == 1


def test_one_that_is_followed_already_is_refused(served: Served) -> None:
    bench, server = served()
    remote_id = elsewhere(server, ["a"])
    adopted = taken(bench, remote_id)
    for _ in range(2):  # before it is driven, and after
        with pytest.raises(BadInput, match=f"submission 1 of batch {adopted.folder.id}"):
            taken(bench, remote_id)
        bench.drive(adopted.folder.id)
    own = bench.run(bench.spec("openai", 2, JOB))
    (submission,) = bench.status(own).submissions or []
    with pytest.raises(BadInput, match=own.id):
        taken(bench, str(submission.remote_id))
    with pytest.raises(NotFound, match="batchtui remote openai"):
        taken(bench, "batch_never_was")
    assert sorted(bench.library.ids()) == sorted([adopted.folder.id, own.id])


def test_a_create_whose_reply_was_lost_is_known_by_its_token(served: Served) -> None:
    bench, server = served()
    made = elsewhere(server, ["a"], metadata={"batchtui_token": "nosuch-1-0a0b0c0d"})
    own = bench.create(bench.spec("openai", 2, JOB))
    lost = elsewhere(server, ["a"], metadata={"batchtui_token": f"{own.id}-1-0a0b0c0d"})
    with pytest.raises(BadInput, match=f"is of batch {own.id}"):
        taken(bench, lost)
    assert taken(bench, made).folder.header.total == 1


def test_a_batch_of_ours_is_rescued_on_another_machine(served: Served, tmp_path: Path) -> None:
    bench, server = served()
    own = bench.run(bench.spec("openai", 5, JOB))
    (submission,) = bench.status(own).submissions or []
    (tmp_path / "two").mkdir()
    there = Bench(tmp_path / "two", bench.config)
    try:
        rows = SourceSpec(file=str(bench.folder_path / "rows-5.csv"))
        folder = there.drive(taken(there, str(submission.remote_id), rows).folder.id)
        assert results(folder) == [(f"r{n}", "completed") for n in range(5)]
        assert len(creates(server)) == 1
    finally:
        there.close()


def test_every_kind_gives_its_batches_to_another_machine(served: Served, tmp_path: Path) -> None:
    bench, server = served()
    remote = [name for name in prompted(bench) if bench.backends.get(name).remote]
    made = {name: bench.run(bench.spec(name, 4, JOB | {"max_tokens": 50})) for name in remote}
    count = len(creates(server))
    (tmp_path / "two").mkdir()
    there = Bench(tmp_path / "two", bench.config)
    try:
        for name, own in made.items():
            (submission,) = bench.status(own).submissions or []
            assert submission.status == "collected", (name, own.result(0))
            folder = there.drive(taken(there, str(submission.remote_id), backend=name).folder.id)
            found = sorted(results(folder))
            assert [id_[-2:] for id_, _ in found] == ["r0", "r1", "r2", "r3"], name
            assert {state for _, state in found} == {"completed"}, name
            assert folder.status().cost_usd == pytest.approx(own.status().cost_usd), name
    finally:
        there.close()
    assert len(creates(server)) == count


def test_killed_while_taking_over_it_is_taken_over_once(served: Served, tmp_path: Path) -> None:
    _, server = served()
    remote_id = elsewhere(server, [f"r{n}" for n in range(40)])
    forget_input(server, remote_id)
    victim = Victim(tmp_path / "victim", tmp_path / "config.toml")
    process = victim.start("adopt", "openai", remote_id)
    if victim.kill_when(process, lambda: victim.size("events.jsonl") > 400):
        assert process.returncode == -signal.SIGKILL
    done = victim.finish("resume", "-q")
    assert done.returncode == 0, done.stderr.decode()
    assert victim.folder().status().completed == 40
    assert len(creates(server)) == 1
    assert os.path.exists(victim.folder().path / "results.jsonl")
