"""What comes back from a provider, however it comes: joined by id, nothing lost, nothing counted that is not ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest

from batchtui.config import load_config
from batchtui.demo.server import DemoServer
from batchtui.model import Json
from batchtui.store.folder import BatchFolder
from tests.engine.bench import Bench, until
from tests.engine.provider import Provider, bad, good

JOB = {"prompt": "{{ text }}", "model": "m"}
Run = Callable[..., tuple[BatchFolder, Provider]]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., tuple[Bench, Provider]]]:
    with ExitStack() as stack:

        def make(
            answer: Callable[[list[str]], dict[str, str | None]], **batch: Json
        ) -> tuple[Bench, Provider]:
            provider = stack.enter_context(Provider(answer, **batch))
            bench = provider.bench(tmp_path)
            stack.callback(bench.close)
            return bench, provider

        yield make


def states(folder: BatchFolder, jobs: int) -> list[str]:
    return [str(folder.result(n).status) for n in range(jobs)]


def test_missing_unknown_repeated_and_unreadable(opened: Callable[..., tuple[Bench, Provider]]) -> None:
    def answer(ids: list[str]) -> dict[str, str | None]:
        torn = good(ids[2])[:-20] + "\n"
        no_name = '{"id": "batch_req_1", "response": null}\n'
        return {
            "output": good(ids[3], "three")
            + good("theirs")
            + torn
            + good(ids[0], "zero")
            + good(ids[0], "again"),
            "errors": bad(ids[4], "flagged") + no_name + "\n",
        }

    bench, _ = opened(answer)
    folder = bench.run(bench.spec("openai", 6, JOB))
    assert states(folder, 6) == ["completed", "failed", "failed", "completed", "failed", "failed"]
    results = [folder.result(n) for n in range(6)]
    assert [results[0].raw_response, results[3].raw_response] == ["zero", "three"]
    assert (results[1].error_kind, results[1].error) == (
        "missing",
        'the backend says "completed", but gave no result for this job, '
        "and 2 answers that fit none, see raw/1-strays.jsonl",
    )
    assert results[2].error_kind == "bad_reply"
    assert "output.jsonl line 3 cannot be read" in (results[2].error or "")
    assert (results[4].error_kind, results[4].error) == ("invalid_prompt", "flagged (400)")
    assert results[4].body["error"]["message"] == "flagged"

    [submission] = bench.status(folder).submissions or []
    assert submission.reason == (
        '1 answer fits no job of it ("theirs"); 1 job is answered twice, each time otherwise ("r0"): '
        "the first that is an answer is kept; 1 line of its results cannot be read or names no job, see raw/1-strays.jsonl"
    )
    strays = (folder.path / "raw/1-strays.jsonl").read_text().splitlines()
    assert [json.loads(line).get("custom_id", "")[-6:] for line in strays] == [
        "theirs",
        results[0].job_id and strays and json.loads(strays[1])["custom_id"][-6:],
        "",
    ]
    told = " ".join(line.text for line in bench.worker.log() if line.level == "warning")
    assert '"theirs" is no job of it' in told
    assert "is answered twice" in told
    # it can still be seen by whoever opens the batch later
    later = bench.library.open(folder.id).status(submissions=True)
    assert (later.submissions or [])[0].reason == submission.reason


@pytest.mark.parametrize("schema", [False, True])
def test_a_good_answer_wins_over_an_error_of_the_same_job(
    opened: Callable[..., tuple[Bench, Provider]], schema: bool
) -> None:
    """Whichever comes first, in one file or in two; an answer that breaks the schema is still more than an error."""
    fits, breaks = '{"n": 1}', '{"n": "x"}'

    def answer(ids: list[str]) -> dict[str, str | None]:
        torn = good(ids[4])[:-20] + "\n"
        lines = bad(ids[0]) + good(ids[0], fits) + good(ids[1], fits) + bad(ids[1])
        if schema:
            lines += bad(ids[2]) + good(ids[2], breaks) + good(ids[2], fits)
        else:
            lines += bad(ids[2]) + good(ids[2], fits) + good(ids[2], "later")
        return {"output": lines + torn + good(ids[4], fits), "errors": bad(ids[3]) + bad(ids[4])}

    bench, provider = opened(answer)
    shape = {"schema": {"type": "object", "properties": {"n": {"type": "integer"}}}} if schema else {}
    folder = bench.run(bench.spec("openai", 5, JOB | shape))
    assert states(folder, 5) == ["completed", "completed", "completed", "failed", "completed"]
    results = [folder.result(n) for n in range(5)]
    assert [one.raw_response for one in results] == [fits, fits, fits, None, fits]
    assert (results[0].error, results[0].error_kind) == (None, None)
    assert results[0].note == "it was answered twice, and not the first time: no (400)"
    assert results[1].note is None
    [submission] = bench.status(folder).submissions or []
    assert (submission.completed, submission.failed) == (4, 1)
    assert len(provider.made) == 1
    again = bench.library.open(folder.id)
    assert states(again, 5) == states(folder, 5)


def test_strays_are_kept_where_the_rest_of_the_words_is_not(
    opened: Callable[..., tuple[Bench, Provider]],
) -> None:
    bench, _ = opened(lambda ids: {"output": good(ids[0]) + good("theirs")})
    spec = bench.spec("openai", 1, JOB)
    spec.output.raw = False
    folder = bench.run(spec)
    assert [path.name for path in (folder.path / "raw").iterdir()] == ["1-strays.jsonl"]


def test_completed_without_a_good_row_is_shown_for_what_it_is(
    opened: Callable[..., tuple[Bench, Provider]],
) -> None:
    bench, _ = opened(lambda ids: {"errors": "".join(bad(one) for one in ids)}, output_file_id=None)
    folder = bench.run(bench.spec("openai", 3, JOB))
    status = bench.status(folder)
    assert (status.status, status.completed, status.failed) == ("failed", 0, 3)
    assert (status.submissions or [])[0].reason == "ended as completed: 0 of 3 jobs completed"


@pytest.mark.parametrize(("word", "state"), [("expired", "expired"), ("cancelled", "cancelled")])
def test_what_was_done_is_kept_whatever_the_end(
    opened: Callable[..., tuple[Bench, Provider]], word: str, state: str
) -> None:
    def answer(ids: list[str]) -> dict[str, str | None]:
        told = {
            "custom_id": ids[2],
            "response": None,
            "error": {"code": f"batch_{word}", "message": "too late"},
        }
        return {"output": good(ids[1]), "errors": json.dumps(told) + "\n"}

    bench, _ = opened(answer, status=word)
    folder = bench.run(bench.spec("openai", 4, JOB))
    assert states(folder, 4) == [state, "completed", state, state]
    reason = (bench.status(folder).submissions or [])[0].reason or ""
    assert reason == f"ended as {word}: 1 of 4 jobs completed"


def test_a_failed_batch_keeps_its_answers_and_the_providers_words(
    opened: Callable[..., tuple[Bench, Provider]],
) -> None:
    errors = {"data": [{"code": "mismatched_model", "message": "Another model", "line": 2}]}
    bench, _ = opened(lambda ids: {"output": good(ids[0])}, status="failed", errors=errors)
    folder = bench.run(bench.spec("openai", 2, JOB))
    assert states(folder, 2) == ["completed", "failed"]
    result = folder.result(1)
    assert (result.error_kind, result.error) == ("submission", "line 2: Another model (mismatched_model)")
    assert result.body == errors


def test_a_body_that_is_text_of_json_is_opened(opened: Callable[..., tuple[Bench, Provider]]) -> None:
    def answer(ids: list[str]) -> dict[str, str | None]:
        row = json.loads(good(ids[0], "inside"))
        row["response"]["body"] = json.dumps(row["response"]["body"])
        del row["error"]
        return {"output": json.dumps(row)}  # and no newline at the end

    bench, _ = opened(answer)
    assert bench.run(bench.spec("openai", 1, JOB)).result(0).raw_response == "inside"


def test_the_error_file_is_read_while_the_output_file_does_not_come(
    opened: Callable[..., tuple[Bench, Provider]],
) -> None:
    bench, _ = opened(lambda ids: {"output": None, "errors": bad(ids[1], "flagged")})
    folder = bench.start(bench.spec("openai", 2, JOB))
    until(lambda: ("results", 1) in folder.progress.attention)
    assert folder.result(1).error == "flagged (400)"
    [submission] = bench.status(folder).submissions or []
    assert (submission.status, folder.result(0).status) == ("ended", "processing")
    assert (submission.reason or "").startswith("its results are not whole: the output file: ")
    told = [line.text for line in bench.worker.log() if line.told]
    assert told == [f"submission 1: {submission.reason}; asked again until they are"]
    [item] = bench.status(folder).attention
    assert item.actions == ("collect", "abandon")
    bench.ask(folder, "resolve", action="abandon", submission=1)
    until(lambda: not bench.worker.drives(folder.id))
    assert (folder.result(0).status, folder.result(0).error_kind) == ("failed", "abandoned")


def test_a_file_that_the_provider_knows_no_more_is_lost_and_not_missing(
    opened: Callable[..., tuple[Bench, Provider]],
) -> None:
    bench, provider = opened(lambda ids: {"output": None})
    provider.refuse["GET /v1/files/output"] = (404, {"error": {"message": "no such file"}})
    folder = bench.run(bench.spec("openai", 1, JOB))
    gone = folder.result(0)
    assert (gone.status, gone.error_kind) == ("failed", "lost")
    assert "its results are gone: the output file is gone" in (gone.error or "")


def test_a_page_in_place_of_the_file_is_read_again(opened: Callable[..., tuple[Bench, Provider]]) -> None:
    pages = ["<html>\n<body>Log in first</body>\n</html>\n"]
    bench, provider = opened(lambda ids: {"output": good(ids[0])})
    usual = provider.reply

    def login_first(method: str, path: str, body: bytes) -> tuple[int, str]:
        if path.endswith("/content") and pages:
            return 200, pages.pop()
        return usual(method, path, body)

    provider.reply = login_first  # type: ignore[method-assign]
    folder = bench.run(bench.spec("openai", 1, JOB))
    assert states(folder, 1) == ["completed"]
    assert (bench.status(folder).submissions or [])[0].reason is None


def test_a_countdown_to_the_end_of_the_results_until_they_are_here(
    opened: Callable[..., tuple[Bench, Provider]],
) -> None:
    bench, provider = opened(lambda ids: {"output": good(ids[0])}, completed_at=1_800_000_000)
    provider.file_object = {"id": "output", "expires_at": 1_900_000_000}
    provider.refuse["GET /v1/files/output/content"] = (500, {"error": {"message": "busy"}})
    folder = bench.start(bench.spec("openai", 1, JOB))
    until(lambda: "GET /v1/files/output/content" in provider.calls)
    assert bench.status(folder).expires == "2030-03-17T17:46:40Z"
    provider.refuse.clear()
    until(lambda: not bench.worker.drives(folder.id))
    assert bench.status(folder).completed == 1
    assert bench.status(folder).expires is None


@pytest.mark.parametrize("asked", [False, True])
def test_files_are_deleted_where_that_is_asked_and_all_is_stored(
    tmp_path: Path, demo_server: Callable[..., DemoServer], asked: bool
) -> None:
    server = demo_server("duration=100ms,partial=0.5,seed=1")
    table = f'kind = "openai"\nbase_url = "{server.url}/v1"\npoll_interval = 0.1\nsettle = 1\n'
    (tmp_path / "config.toml").write_text(f"[backends.openai]\n{table}delete_files = {str(asked).lower()}\n")
    bench = Bench(tmp_path, load_config(tmp_path / "config.toml", env={}))
    try:
        folder = bench.run(bench.spec("openai", 10, JOB | {"model": "demo-small"}))
        assert bench.status(folder).finished == 10
        with urlopen(f"{server.url}/v1/files") as reply:
            assert len(json.load(reply)["data"]) == (0 if asked else 3)
    finally:
        bench.close()
