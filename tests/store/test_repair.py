"""Damage of every file: named with its line, and mended as far as anything still tells, without a new create."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.model import JobState, Outcome, SubmissionState
from batchtui.store.files import labels
from batchtui.store.folder import BatchFolder
from batchtui.store.health.proof import prove
from batchtui.store.health.repair import repair
from tests.store.store_help import again, drive, make, picture, session

Damage = Callable[[Path], object]


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _zeros(path: Path) -> None:
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : third + 64] = bytes(min(64, len(data) - third))
    path.write_bytes(data)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])


def _torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _link(path: Path) -> None:
    target = path.with_name(f"elsewhere-{path.name}")
    path.rename(target)
    path.symlink_to(target)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: list[Damage] = [_flip, _zeros, _cut, _torn, _empty, Path.unlink, _link, _folder]
FILES = ("batch.json", "jobs.jsonl", "events.jsonl", "results.jsonl", "checkpoint.json")


@pytest.fixture
def ended(tmp_path: Path) -> BatchFolder:
    """A batch of six jobs, all answered by one submission and collected."""
    folder = make(tmp_path)
    writer = drive(folder)
    writer.record("intent", sub=1, backend="claude", token="t1", jobs="0-5", account="a")
    writer.record("submitted", sub=1, remote_id="batch_1")
    writer.record("poll", sub=1, state="ended", ended_as="completed")
    for n in range(6):
        done = Outcome(state=JobState.COMPLETED, raw_response=f"answer {n}", cost_usd=0.25, input_tokens=7)
        writer.store(n, 1, f"job-{n}", done, sub=1, backend="claude", batch_id="batch_1")
    writer.record("collected", sub=1)
    writer.record("ended")
    writer.close()
    return folder


def test_what_is_as_it_was_written_is_sound(ended: BatchFolder, tmp_path: Path) -> None:
    assert prove(ended.path).faults == []
    busy = make(tmp_path / "other")
    writer = drive(busy)
    session(writer)
    writer.close()
    assert prove(busy.path).faults == []


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
@pytest.mark.parametrize("file", FILES)
def test_every_damage_is_named_and_mended(ended: BatchFolder, file: str, damage: Damage) -> None:
    before = picture(ended.progress)
    damage(ended.path / file)
    proof = prove(ended.path)
    if not (file == "checkpoint.json" and damage is Path.unlink):  # it may be missing at any time
        assert not proof.sound
    repaired = repair(ended.path)
    assert prove(ended.path).faults == []
    read = again(ended)
    now = picture(read.progress)
    assert not read.damage
    lost = set(proof.lost)
    for n in range(6):
        if n in lost:
            assert read.columns().state(n) is JobState.PROCESSING, "it is to be collected again"
        else:
            result = read.result(n)
            assert (result.status, result.raw_response) == (JobState.COMPLETED, f"answer {n}")
    record = read.progress.submissions.get(1)
    assert record is not None
    assert record.remote_id == "batch_1"
    assert record.state is (SubmissionState.ENDED if lost else SubmissionState.COLLECTED)
    assert repaired.collect == ([1] if lost else [])
    if not lost:
        assert now["cost_nano"] == before["cost_nano"]
    drive(again(ended)).close()


def test_a_repair_of_what_is_sound_changes_nothing(ended: BatchFolder) -> None:
    before = {path.name: path.read_bytes() for path in ended.path.iterdir() if path.is_file()}
    assert repair(ended.path).done == []
    assert {path.name: path.read_bytes() for path in ended.path.iterdir() if path.is_file()} == before


def test_what_a_repair_that_was_cut_short_began_to_write_is_not_taken_in(ended: BatchFolder) -> None:
    _flip(ended.path / "jobs.jsonl")
    (ended.path / ".jobs.jsonl.new").write_bytes((ended.path / "jobs.jsonl").read_bytes())
    repair(ended.path)
    assert prove(ended.path).faults == []
    assert len(again(ended).jobs) == 6


@pytest.mark.parametrize("damage", [_flip, _empty, Path.unlink], ids=["flip", "empty", "gone"])
def test_where_the_journal_lost_lines_nothing_is_sent_before_somebody_says_so(
    ended: BatchFolder, damage: Damage
) -> None:
    (ended.path / "checkpoint.json").unlink()
    damage(ended.path / "events.jsonl")
    repaired = repair(ended.path)
    read = again(ended)
    assert read.status().follows
    assert any("take-over" in words for words in repaired.left)
    assert [read.result(n).raw_response for n in range(6)] == [f"answer {n}" for n in range(6)]


def test_results_of_a_submission_that_the_journal_does_not_know_tell_that_lines_are_lost(
    ended: BatchFolder,
) -> None:
    (ended.path / "checkpoint.json").unlink()
    path = ended.path / "events.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    assert prove(ended.path).lines_lost
    repair(ended.path)
    assert again(ended).status().follows
    assert again(ended).status().completed == 6


def test_what_was_there_is_kept_beside(ended: BatchFolder) -> None:
    path = ended.path / "batch.json"
    _flip(path)
    changed = path.read_bytes()
    path.write_bytes(changed[:-20])
    repair(ended.path)
    assert (ended.path / "batch.json.damaged").read_bytes() == changed[:-20]
    assert again(ended).header.name == "invoices"


def test_labels_that_are_none_are_named_and_set_aside_and_nothing_else_is_touched(ended: BatchFolder) -> None:
    labels.add(ended.path, [labels.Label(job_id="job-0", label="good")])
    assert prove(ended.path).sound
    path = ended.path / labels.FILE
    with path.open("ab") as file:
        file.write(b'{"job_id": 7}\n\x1b[2J nonsense\n')
    labels.add(ended.path, [labels.Label(job_id="job-1", label="bad")])
    with path.open("ab") as file:
        file.write(b'{"job_id": "job')
    faults = [str(fault) for fault in prove(ended.path).faults]
    assert [fault.partition(" is no label")[0] for fault in faults[:2]] == [
        "labels.jsonl:2:",
        "labels.jsonl:3:",
    ]
    assert faults[2:] == ["labels.jsonl: ends with 15 bytes of an unfinished line"]
    assert not any("\x1b" in fault for fault in faults)
    journal = (ended.path / "events.jsonl").read_bytes()
    assert repair(ended.path).done == ["2 labels that cannot be trusted are kept in labels.jsonl.damaged"]
    assert prove(ended.path).sound
    assert (ended.path / "events.jsonl").read_bytes() == journal
    assert {job: one.label for job, one in labels.read(ended.path).of_jobs.items()} == {
        "job-0": "good",
        "job-1": "bad",
    }


def test_a_link_in_place_of_the_labels_is_named_and_made_a_file(ended: BatchFolder) -> None:
    labels.add(ended.path, [labels.Label(job_id="job-0", label="good")])
    _link(ended.path / labels.FILE)
    assert "labels.jsonl: is a symbolic link, and was put there by somebody else" in [
        str(fault) for fault in prove(ended.path).faults
    ]
    repair(ended.path)
    assert prove(ended.path).sound
    assert labels.read(ended.path).of_jobs["job-0"].label == "good"
