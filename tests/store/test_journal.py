"""events.jsonl: sequence, checksums, torn and damaged lines, and the fold at every place it can be cut."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from batchtui.errors import StoreDamaged
from batchtui.model import JobState, Outcome, SubmissionState
from batchtui.store.disk import seals
from batchtui.store.files import journal
from batchtui.store.files.lock import is_held
from batchtui.store.folder import BatchFolder
from tests.store.store_help import again, drive, folded, make, picture, session, write_journal


@pytest.fixture
def driven(tmp_path: Path) -> BatchFolder:
    """A batch with a whole session behind it, and no checkpoint."""
    folder = make(tmp_path)
    writer = drive(folder)
    session(writer)
    writer.close()
    (folder.path / "checkpoint.json").unlink()
    return again(folder)


def _lines(folder: BatchFolder) -> list[bytes]:
    return (folder.path / "events.jsonl").read_bytes().splitlines()


def _rewrite(folder: BatchFolder, lines: list[bytes]) -> None:
    (folder.path / "events.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))


def test_lines_count_up_and_carry_a_checksum(driven: BatchFolder) -> None:
    lines = _lines(driven)
    events = [json.loads(line) for line in lines]
    assert [event["seq"] for event in events] == list(range(1, len(lines) + 1))
    assert events[0]["event"] == "journal"
    assert events[0]["schema"] == journal.SCHEMA
    for line in lines:
        assert line.isascii()
        assert seals.is_whole(line)
        for at in range(0, len(line), 7):
            assert not seals.is_whole(line[:at] + bytes((line[at] ^ 1,)) + line[at + 1 :])


def test_a_session_ends_with_the_right_figures(driven: BatchFolder) -> None:
    status = driven.status(submissions=True)
    assert (status.completed, status.invalid, status.cancelled) == (3, 1, 2)
    assert status.cost_usd == 0.251
    assert status.maybe_twice == 1
    assert status.attention == []
    assert driven.progress.tries.tolist() == [1, 1, 1, 2, 2, 1]
    assert driven.progress.unpriced == 1
    one, two = status.submissions or []
    assert (one.remote_id, one.status, one.completed, one.failed) == (
        "batch_1",
        SubmissionState.COLLECTED,
        3,
        1,
    )
    assert (two.remote_id, two.status, two.jobs) == (None, SubmissionState.SENDING, 1)


@pytest.mark.parametrize("checkpointed", [False, True])
def test_a_journal_cut_anywhere_folds_to_its_whole_lines(tmp_path: Path, checkpointed: bool) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    session(writer)
    saved_at = 0
    if checkpointed:
        writer.checkpoint().result(10)
        saved_at = (folder.path / "events.jsonl").stat().st_size
        kept = (folder.path / "checkpoint.json").read_bytes()
        writer.record("mark", jobs="0-5", state="pending", fresh=True)
        session(writer)
    writer.close()
    data = (folder.path / "events.jsonl").read_bytes()
    ends = [at + 1 for at, byte in enumerate(data) if byte == 0x0A]
    cuts = {0, *ends, *(end - 1 for end in ends)}
    cuts |= set(random.Random(7).sample(range(len(data)), 300 - len(cuts)))
    for cut in sorted(cuts):
        (folder.path / "events.jsonl").write_bytes(data[:cut])
        (folder.path / "checkpoint.json").unlink(missing_ok=True)
        if checkpointed:
            (folder.path / "checkpoint.json").write_bytes(kept)
        read = again(folder)
        whole = data[:cut].split(b"\n")[:-1]
        lost = checkpointed and cut < saved_at
        known = data[:saved_at].split(b"\n")[:-1] if lost else whole
        assert picture(read.progress) == picture(folded(known, 6)), cut
        assert bool(read.damage) == (lost or not whole), cut
        read.status(submissions=True)


def test_a_torn_last_line_is_cut_and_kept_aside(driven: BatchFolder) -> None:
    path = driven.path / "events.jsonl"
    whole = path.read_bytes()
    torn = b'{"seq":99,"event":"sta'
    for number in (1, 2):  # the same place twice: the first is not lost
        path.write_bytes(whole + torn + bytes((number,)))
        writer = drive(again(driven))
        writer.close()
        assert path.read_bytes().startswith(whole)
        path.write_bytes(whole)
        (driven.path / "checkpoint.json").unlink()
    aside = sorted(driven.path.glob("*.torn-*"))
    assert [file.read_bytes() for file in aside] == [torn + b"\x01", torn + b"\x02"]
    assert {file.stat().st_mode & 0o777 for file in aside} == {0o600}


def test_a_line_that_was_written_twice_counts_once(driven: BatchFolder) -> None:
    (driven.path / "checkpoint.json").unlink(missing_ok=True)
    path = driven.path / "events.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join((*lines, lines[-1])))
    read = again(driven)
    assert picture(read.progress) == picture(folded([line.rstrip(b"\n") for line in lines], 6))
    assert read.damage == []


def test_a_torn_line_of_megabytes_is_cut(driven: BatchFolder) -> None:
    path = driven.path / "events.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b"x" * 3_000_000)
    drive(again(driven)).close()
    assert path.read_bytes().startswith(whole + b'{"seq":')
    assert (driven.path / f"events.jsonl.torn-{len(whole)}").stat().st_size == 3_000_000


def test_a_damaged_line_in_the_middle_is_named_and_read_over(driven: BatchFolder) -> None:
    lines = _lines(driven)
    at = sum(len(line) + 1 for line in lines[:-2])
    lines[-2] = lines[-2].replace(b'"inbox"', b'"inbux"')
    _rewrite(driven, lines)
    read = again(driven)
    assert read.status().completed == 3
    assert read.progress.ended
    assert read.damage == [f"{driven.path}/events.jsonl: the line at byte {at} is damaged"]
    before = sorted(
        (file.name, file.read_bytes()) for file in driven.path.iterdir() if file.suffix == ".jsonl"
    )
    with pytest.raises(StoreDamaged, match=f"byte {at} is damaged"):
        drive(read)
    after = sorted(
        (file.name, file.read_bytes()) for file in driven.path.iterdir() if file.suffix == ".jsonl"
    )
    assert before == after
    assert not is_held(driven.path)


def test_every_flipped_byte_is_noticed(driven: BatchFolder) -> None:
    data = (driven.path / "events.jsonl").read_bytes()
    rng = random.Random(3)
    for at in rng.sample(range(len(data)), 300):
        flipped = bytearray(data)
        flipped[at] ^= rng.randrange(1, 256)
        (driven.path / "events.jsonl").write_bytes(flipped)
        read = again(driven)
        read.status(submissions=True)
        torn = data.rfind(b"\n", 0, len(data) - 1) < at and not flipped.endswith(b"\n")
        assert read.damage or torn, at


def test_a_lost_intent_makes_no_exception(driven: BatchFolder) -> None:
    lines = [line for line in _lines(driven) if b'"intent"' not in line]
    _rewrite(driven, lines)
    read = again(driven)
    assert read.status(submissions=True).completed == 3
    assert "the sequence goes from" in read.damage[0]


@pytest.mark.parametrize(
    "event",
    [
        {"event": "start", "n": 6, "try": 1},
        {"event": "start", "n": "x", "try": 1},
        {"event": "start", "n": 0, "try": 70000},
        {"event": "result", "n": 0, "try": 1, "state": "splendid", "at": 31, "len": 9},
        {"event": "mark", "jobs": "0-", "state": "nowhere"},
        {"event": "mark", "jobs": 5, "state": "failed"},
        {"event": "poll", "sub": 9, "state": "ended"},
        {"event": "note", "sub": 9},
        {"event": ["start"]},
        {"event": "start", "seq": "second"},
        {},
    ],
)
def test_an_event_that_makes_no_sense_is_damage(tmp_path: Path, event: dict[str, object]) -> None:
    folder = make(tmp_path)
    write_journal(folder, event, {"event": "start", "n": 1, "try": 1, "seq": 3})
    read = again(folder)
    assert read.status().processing >= 1
    assert "events.jsonl" in read.damage[0]
    with pytest.raises(StoreDamaged):
        drive(read)


def test_a_fitting_checksum_proves_no_json(tmp_path: Path) -> None:
    import zlib

    folder = make(tmp_path)
    path = write_journal(folder)
    for body in (b"{nonsense}", b'{"a":' + b"[" * 200_000 + b"}"):
        line = b'%b,"crc":"%08x"}\n' % (body[:-1], zlib.crc32(body))
        path.write_bytes(path.read_bytes() + line)
    read = again(folder)
    assert read.status().pending == 6
    assert all("cannot be read" in words for words in read.damage)
    assert len(read.damage) == 2


def test_a_result_told_again_after_a_checkpoint_counts_once(tmp_path: Path) -> None:
    """A result is known by its place in the file, whatever the line that tells of it says besides."""
    folder = make(tmp_path)
    writer = drive(folder)
    done = Outcome(
        state=JobState.COMPLETED, raw_response="ok", cost_usd=0.5, input_tokens=10, output_tokens=5
    )
    writer.record("intent", sub=1, backend="claude", token="t1", jobs="0-1", account="a", bytes=900)
    for n in range(2):
        writer.store(n, 1, f"job-{n}", done, sub=1, backend="claude", batch_id="batch_1")
    writer.checkpoint()
    told = [event for event in folder.events() if event["event"] == "result"]
    before = picture(folder.progress)
    for event in told:
        writer.record(**{key: value for key, value in event.items() if key not in ("seq", "time", "crc")})
    writer.close()
    for progress in (folder.progress, again(folder).progress):
        after = picture(progress)
        moved = {key for key in after if after[key] != before[key]}
        assert moved <= {"seq", "last_time"}
        assert (progress.cost_nano, progress.submissions[1].completed) == (1_000_000_000, 2)


def test_unknown_events_are_kept_and_passed_over(driven: BatchFolder) -> None:
    assert "from_the_future" in [event["event"] for event in driven.events()]
    assert not driven.damage
    writer = drive(driven)
    writer.close()
    assert b"from_the_future" in (driven.path / "events.jsonl").read_bytes()


def test_a_newer_journal_is_read_and_not_driven(tmp_path: Path) -> None:
    folder = make(tmp_path)
    path = write_journal(folder, {"event": "start", "n": 0, "try": 1})
    path.write_bytes(
        journal.seal({"seq": 1, "time": "t", "event": "journal", "schema": 999})
        + path.read_bytes().split(b"\n", 1)[1]
    )
    read = again(folder)
    assert read.status().processing == 1
    with pytest.raises(StoreDamaged, match="schema 999"):
        drive(read)


def test_a_journal_that_vanished_is_no_fresh_start(driven: BatchFolder) -> None:
    (driven.path / "events.jsonl").unlink()
    with pytest.raises(StoreDamaged, match="has no line left"):
        drive(again(driven))
    (driven.path / "events.jsonl").write_bytes(bytes(4096))
    with pytest.raises(StoreDamaged, match="has no line left"):
        drive(again(driven))
    assert (driven.path / "events.jsonl").read_bytes() == bytes(4096)


def test_a_reader_keeps_up_with_the_driver(tmp_path: Path) -> None:
    folder = make(tmp_path)
    reader = again(folder)
    assert reader.status().pending == 6
    writer = drive(folder)
    session(writer)
    assert reader.refresh()
    assert picture(reader.progress) == picture(folder.progress)
    assert not reader.refresh()
    writer.record("mark", jobs="0", state=JobState.PENDING, fresh=True)
    assert reader.refresh()
    assert reader.columns().state(0) is JobState.PENDING
    writer.close()


def test_a_journal_put_in_the_place_of_a_longer_one_is_read_anew(driven: BatchFolder) -> None:
    assert driven.status().completed == 3
    _rewrite(driven, _lines(driven)[:8])
    assert driven.refresh()
    assert driven.status().completed == 0
