"""Jobs that are born while their batch runs: counted as they come, cut off where a crash left them half born."""

from __future__ import annotations

from pathlib import Path

from batchtui.model import BatchState, JobRecord, JobState, Outcome
from batchtui.store.files.jobs import job_line
from batchtui.store.health.proof import prove
from batchtui.store.writer import BatchWriter
from tests.store.store_help import again, drive, make

SEED = JobRecord(n=0, id="1")


def sow(writer: BatchWriter, sub: int = 1, seed: int = 0) -> None:
    writer.record("intent", sub=sub, backend="claude", token=f"t{sub}", jobs="", seed=seed, grows=True)
    writer.record("submitted", sub=sub, remote_id=f"batch-{sub}")


def records(*numbers: int) -> list[JobRecord]:
    return [JobRecord(n=n, id=f"r{n}") for n in numbers]


def test_counts_come_from_the_jobs_and_the_total_from_the_backend(tmp_path: Path) -> None:
    folder = make(tmp_path, 0, growing=True, seeds=[SEED, SEED])
    writer, follower = drive(folder), again(folder)
    assert (folder.unsown, folder.status().total, folder.state()) == ([0, 1], None, BatchState.PENDING)
    sow(writer)
    sow(writer, 2, 1)
    assert (folder.unsown, folder.status().total) == ([], None)
    writer.record("poll", sub=1, state="processing", completed=2, failed=0, facts={"total": 3})
    writer.record("poll", sub=2, state="submitted", completed=0, failed=0, facts={"total": 2})
    assert folder.status().total == 5
    writer.grow(1, records(0, 1), more=True)
    writer.grow(2, records(2), more=True)
    writer.store(0, 1, "r0", Outcome(state=JobState.COMPLETED), sub=1)
    writer.record("poll", sub=1, state="ended", completed=3, failed=0, ended_as="completed")
    (one, two) = folder.status(submissions=True).submissions or []
    assert (one.jobs, one.completed, two.jobs, two.completed) == (2, 1, 1, 0)
    assert folder.born == {0, 1, 2}
    for other in (again(folder), follower):
        other.refresh()
        assert other.status() == folder.status()
        assert [other.result(n).job_id for n in range(3)] == ["r0", "r1", "r2"]
    writer.close()


def test_a_checkpoint_of_before_more_jobs_were_born_is_no_damage(tmp_path: Path) -> None:
    folder = make(tmp_path, 0, growing=True, seeds=[SEED])
    writer = drive(folder)
    sow(writer)
    writer.grow(1, records(0, 1), more=True)
    writer.checkpoint().result()
    before = (folder.path / "checkpoint.json").read_bytes()
    writer.grow(1, records(2, 3), more=True)
    writer.close()
    (folder.path / "checkpoint.json").write_bytes(before)  # a process that was killed before the next one
    assert prove(folder.path).faults == []
    assert again(folder).status().processing == 4
    (folder.path / "checkpoint.json").write_bytes(before.replace(b'"total"', b'"totaI"'))
    assert [fault.file for fault in prove(folder.path).faults] == ["checkpoint.json"]


def test_what_was_half_born_is_born_again(tmp_path: Path) -> None:
    folder = make(tmp_path, 0, growing=True, seeds=[SEED])
    writer = drive(folder)
    sow(writer)
    writer.grow(1, records(0, 1), more=True)
    with (folder.path / "jobs.jsonl").open("ab") as file:  # and then the machine stopped
        file.write(b"".join(map(job_line, records(2, 3))) + b'{"n":4,"id":"r')
    writer.close()
    reopened = again(folder)
    assert reopened.status().processing == 2
    writer = drive(reopened)
    writer.drop_unborn()
    assert reopened.jobs.ids == ["r0", "r1"]
    writer.grow(1, [JobRecord(n=2, id="other")], more=True)
    writer.drop_unborn()
    assert again(reopened).jobs.ids == ["r0", "r1", "other"]
    writer.close()


def test_a_seed_that_nothing_came_of_is_sown_again_unless_all_is_stopped(tmp_path: Path) -> None:
    folder = make(tmp_path, 0, growing=True, seeds=[SEED])
    writer = drive(folder)
    sow(writer)
    writer.record("collected", sub=1, reason="sent again on request", again=True)
    assert (folder.unsown, folder.state()) == ([0], BatchState.PROCESSING)
    assert again(folder).unsown == [0]
    folder.header.cancelling = True
    assert folder.unsown == []
    writer.checkpoint().result(10)
    writer.close()
    assert again(folder).unsown == [0]
