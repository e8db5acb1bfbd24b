"""results.jsonl: recovered when not journaled, torn or lost tails, answers of every shape."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from batchtui.errors import NotFound, StoreDamaged
from batchtui.model import JobState, Outcome, Result
from batchtui.store.files import results
from batchtui.store.files.results import StoredResult
from batchtui.store.folder import BatchFolder, to_json
from tests.store.store_help import again, drive, make, picture, session

DONE = Outcome(state=JobState.COMPLETED, raw_response="yes", cost_usd=0.5)

PROMISED = """job_id, name, status, raw_response, parsed_response, citations, citation_mappings, input_tokens,
output_tokens, cost_usd, error, error_kind, backend, batch_id, remote, attempts, started, ended, row, output"""


def _drop_last_events(folder: BatchFolder, count: int) -> None:
    path = folder.path / "events.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-count]))
    (folder.path / "checkpoint.json").unlink(missing_ok=True)


def test_a_result_that_was_stored_but_not_journaled_is_recovered(tmp_path: Path) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    session(writer)
    writer.record("start", n=5, **{"try": 2})
    writer.store(5, 2, "job-5", DONE)
    writer.close()
    want = picture(folder.progress)
    _drop_last_events(folder, 1)
    reader = again(folder)
    assert reader.progress.states[5] == 1
    writer = drive(again(folder))
    writer.close()
    found = again(folder)
    assert found.result(5).raw_response == "yes"
    got = picture(found.progress)
    for volatile in ("seq", "last_time"):
        got.pop(volatile)
        want.pop(volatile)
    assert got == want


def test_recovery_is_done_once(tmp_path: Path) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    writer.store(0, 1, "job-0", DONE)
    writer.close()
    _drop_last_events(folder, 1)
    for _ in range(3):
        drive(again(folder)).close()
    assert again(folder).status().cost_usd == 0.5


def test_a_torn_result_is_set_aside_and_the_next_one_stands_alone(tmp_path: Path) -> None:
    folder = make(tmp_path)
    drive(folder).close()
    path = folder.path / "results.jsonl"
    with path.open("ab") as file:
        file.write(b'{"state":"completed","raw_resp')
    writer = drive(again(folder))
    writer.store(1, 1, "job-1", DONE)
    writer.close()
    assert again(folder).result(1).raw_response == "yes"
    (aside,) = folder.path.glob("results.jsonl.torn-*")
    assert aside.read_bytes() == b'{"state":"completed","raw_resp'


@pytest.mark.parametrize(
    "tail", [b"\0" * 50 + b"\n", b"[]\n", b'{"n":99,"tries":1,"job_id":"x","state":"completed"}\n']
)
def test_a_result_that_makes_no_sense_is_passed_over(tmp_path: Path, tail: bytes) -> None:
    folder = make(tmp_path)
    drive(folder).close()
    with (folder.path / "results.jsonl").open("ab") as file:
        file.write(tail)
    writer = drive(again(folder))
    writer.store(1, 1, "job-1", DONE)
    writer.close()
    read = again(folder)
    assert read.status().completed == 1
    assert [stored.job_id for stored in read.attempts(1)] == ["job-1"]


def test_results_that_the_power_took_are_asked_for_again(tmp_path: Path) -> None:
    """The journal reached the disk, what it points at did not: nothing is hidden, and later results count."""
    folder = make(tmp_path)
    writer = drive(folder)
    writer.record("intent", sub=1, backend="claude", token="t", jobs="0-1")
    writer.store(0, 1, "job-0", DONE, sub=1)
    kept = (folder.path / "results.jsonl").stat().st_size
    writer.store(1, 1, "job-1", DONE, sub=1)
    writer.store(5, 1, "job-5", DONE)
    writer.close()
    path = folder.path / "results.jsonl"
    path.write_bytes(path.read_bytes()[: kept + 40])
    writer = drive(again(folder))
    states = [writer.folder.result(n).status for n in (0, 1, 5)]
    assert states == ["completed", "processing", "failed"]  # of the last one no submission is known
    assert writer.folder.result(5).error_kind == "lost"
    writer.store(1, 1, "job-1", DONE, sub=1)
    writer.close()
    read = again(folder)
    assert read.result(1).raw_response == "yes"
    assert read.result(0).raw_response == "yes"
    assert read.status().completed == 2


def test_what_was_done_here_and_the_power_took_is_done_again_and_counted(tmp_path: Path) -> None:
    folder = make(tmp_path, remote=False)
    writer = drive(folder)
    for n in (2, 3):
        writer.record("start", n=n, **{"try": 1})
        writer.store(n, 1, f"job-{n}", DONE)
    writer.close()
    path = folder.path / "results.jsonl"
    path.write_bytes(path.read_bytes()[:40])
    writer = drive(again(folder))
    status = writer.folder.status()
    writer.close()
    assert (status.pending, status.failed, status.maybe_twice) == (6, 0, 2)


def test_one_unreadable_answer_does_not_hide_the_others(tmp_path: Path) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    for n in range(3):
        writer.store(n, 1, f"job-{n}", DONE)
    writer.close()
    path = folder.path / "results.jsonl"
    at = again(folder).progress.offsets[1]
    data = bytearray(path.read_bytes())
    data[at : at + 20] = bytes(20)
    path.write_bytes(data)
    read = again(folder)
    assert [read.result(n).raw_response for n in range(3)] == ["yes", None, "yes"]
    assert read.result(1).error_kind == "damaged"
    assert f"{path}: the result at byte {at}" in (read.result(1).error or "")
    assert read.result(1).row == {"text": "row 1"}
    with pytest.raises(StoreDamaged):
        results.ResultReader(path).at(at)


def test_the_last_attempt_counts_and_the_earlier_stay_readable(tmp_path: Path) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    for tries, state in ((1, JobState.FAILED), (2, JobState.EXPIRED), (3, JobState.COMPLETED)):
        writer.store(2, tries, "job-2", Outcome(state=state, raw_response=str(tries), error="x" * 300))
    writer.close()
    read = again(folder)
    assert [(a.tries, a.state) for a in read.attempts(2)] == [(1, "failed"), (2, "expired"), (3, "completed")]
    assert (read.result(2).raw_response, read.result(2).attempts) == ("3", 3)
    assert read.attempts(0) == []


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(state=JobState.COMPLETED, raw_response="cut \ud83d", parsed_response={"\udc00": ["\ud83d"]}),
        Outcome(state=JobState.COMPLETED, raw_response="x" * 1_000_000),
        Outcome(state=JobState.COMPLETED, raw_response="\u2028\u2029\x85\x0b\x0c\x1c\r\n\0"),
        Outcome(state=JobState.COMPLETED, output=[10**30, -1, 1e300, None, True], body={"a": "é💥"}),
        Outcome(state=JobState.FAILED, error="\ud83d", error_kind="\x1b[2J", remote={"task_id": "..//"}),
        Outcome(
            state=JobState.COMPLETED,
            raw_response="a",
            reasoning="hm \ud83d",
            tool_calls=[{"id": "c1"}],
            choices=[{"text": "a", "finish_reason": "stop"}, {"text": "\udc00"}],
            note="cut",
        ),
    ],
    ids=["lone-halves", "megabyte", "line-ends", "numbers", "error", "beside-the-text"],
)
def test_any_answer_comes_back_word_for_word(tmp_path: Path, outcome: Outcome) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    writer.store(0, 1, "job-0", outcome)
    writer.store(1, 1, "job-1", DONE)
    writer.close()
    assert (folder.path / "results.jsonl").read_bytes().isascii()
    read = again(folder)
    stored = read.result(0)
    for name in set(Outcome.__struct_fields__) - {"state", "usage"}:
        assert getattr(stored, name) == getattr(outcome, name), name
    assert json.loads(json.dumps(to_json(stored)))["status"] == outcome.state
    assert read.result(1).raw_response == "yes"


def test_result_has_the_promised_keys(tmp_path: Path) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    writer.store(0, 1, "job-0", DONE, backend="claude", batch_id="b1", started="2026-11-21T07:00:00.000Z")
    writer.close()
    promised = set(PROMISED.replace("\n", " ").replace(" ", "").split(",")) | {
        "finish_reason",
        "reasoning",
        "tool_calls",
        "choices",
        "note",
        "model",
        "body",
        "repaired",
        "label",
        "label_note",
    }
    assert set(Result.__struct_fields__) == promised
    for n in (0, 1):
        document = to_json(again(folder).result(n))
        assert isinstance(document, dict)
        assert set(document) == promised
    finished = again(folder).result(0)
    assert (finished.batch_id, finished.backend, finished.attempts, finished.cost_usd) == (
        "b1",
        "claude",
        1,
        0.5,
    )
    assert finished.started
    assert finished.ended
    assert again(folder).result(1).status == "pending"


def test_a_line_of_an_earlier_version_is_read_without_what_it_did_not_know() -> None:
    line = b'{"state":"completed","raw_response":"yes","finish_reason":"stop","n":0,"tries":1,"job_id":"a"}'
    stored = results.decode(line)
    assert (stored.raw_response, stored.finish_reason) == ("yes", "stop")
    assert (stored.reasoning, stored.tool_calls, stored.choices, stored.note) == (None, None, None, None)


def test_unknown_jobs_are_not_found(tmp_path: Path) -> None:
    folder = make(tmp_path)
    for n in (-1, 6):
        with pytest.raises(NotFound):
            folder.result(n)
    with pytest.raises(NotFound, match="job-9"):
        folder.number("job-9")


def test_a_line_keeps_what_it_was_given() -> None:
    stored = StoredResult(n=3, tries=2, job_id="\ud83d", state=JobState.INVALID, usage={"in": 3})
    line = results.encode(stored)
    assert line.count(b"\n") == 1
    assert results.decode(line) == stored


def test_a_changed_letter_of_a_stored_answer_is_noticed(tmp_path: Path) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    for n in range(3):
        writer.store(n, 1, f"job-{n}", Outcome(state=JobState.COMPLETED, raw_response=f"about {n} of 7"))
    writer.close()
    path = folder.path / "results.jsonl"
    path.write_bytes(path.read_bytes().replace(b"about 1 of 7", b"about 1 of 9"))
    read = again(folder)
    assert [read.result(n).raw_response for n in range(3)] == ["about 0 of 7", None, "about 2 of 7"]
    assert read.result(1).error_kind == "damaged"
    assert "checksum" in (read.result(1).error or "")
    assert [stored is None for _, _, stored in results.read_after(path, 0)] == [False, True, False]


def test_every_flipped_bit_of_a_result_is_noticed_or_harmless() -> None:
    stored = StoredResult(
        n=3, tries=2, job_id="a", state=JobState.COMPLETED, raw_response="yes", cost_usd=0.25
    )
    line = results.encode(stored).rstrip(b"\n")
    unnoticed = []
    for at in range(len(line) * 8):
        changed = bytearray(line)
        changed[at // 8] ^= 1 << at % 8
        try:
            read = results.decode(bytes(changed))
        except (ValueError, msgspec.ValidationError):
            continue
        if read != stored:
            unnoticed.append(bytes(changed))
    assert unnoticed == []
