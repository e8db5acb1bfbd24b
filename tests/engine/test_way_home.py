"""Results that come wrong for a while: every row comes home, and nothing is made or stored a second time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from batchtui.model import Json
from batchtui.store.files.inbox import Command
from batchtui.store.files.journal import seal
from batchtui.store.folder import BatchFolder
from tests.engine.bench import Bench, until
from tests.engine.provider import Provider, bad, good

JOB = {"prompt": "{{ text }}", "model": "m"}
OLD = Path(__file__).parents[1] / "data/old_missing_batch"
CONTENT = "GET /v1/files/output/content"
ROWS = 6
Opened = Callable[..., tuple[Bench, Provider]]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    with ExitStack() as stack:

        def make(
            answer: Callable[[list[str]], dict[str, str | None]], **batch: Json
        ) -> tuple[Bench, Provider]:
            provider = stack.enter_context(Provider(answer, **batch))
            bench = provider.bench(tmp_path)
            stack.callback(bench.close)
            return bench, provider

        yield make


def all_rows(ids: list[str]) -> dict[str, str | None]:
    return {"output": "".join(good(one, f"answer {place}") for place, one in enumerate(ids))}


def counted(completed: int = ROWS, failed: int = 0) -> dict[str, int]:
    return {"total": ROWS, "completed": completed, "failed": failed}


def reply(
    status: int,
    body: bytes,
    *,
    length: int | None = None,
    kind: str = "application/jsonl",
    framed: bool = True,
) -> bytes:
    announced = f"Content-Length: {len(body) if length is None else length}\r\n" if framed else ""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nConnection: close\r\n{announced}\r\n"
    return head.encode() + body


def wire(provider: Provider) -> bytes:
    return str(all_rows(provider._ids)["output"]).encode()


def cut_at_a_line(provider: Provider) -> bytes:
    return b"".join(wire(provider).splitlines(keepends=True)[:3])


def as_list(provider: Provider) -> bytes:
    return json.dumps([json.loads(line) for line in wire(provider).splitlines()], indent=2).encode()


WRONG: dict[str, Callable[[Provider], list[bytes]]] = {
    "404 once": lambda p: [reply(404, b'{"error": {"message": "not ready"}}')],
    "400 twice": lambda p: [reply(400, b'{"error": {"message": "later"}}')] * 2,
    "403 once": lambda p: [reply(403, b'{"error": {"message": "blocked"}}')],
    "410 once": lambda p: [reply(410, b"")],
    "empty once": lambda p: [reply(200, b"")],
    "204 once": lambda p: [reply(204, b"")],
    "a page thrice": lambda p: [reply(200, b"<html>log in</html>", kind="text/html")] * 3,
    "a page called lines": lambda p: [reply(200, b"\n <!doctype html>\n<p>log in</p>\n")],
    "JSON that is no row": lambda p: [reply(200, b'{"status": "please wait"}\n')],
    "cut at a line end": lambda p: [reply(200, cut_at_a_line(p), framed=False)],
    "cut at a line end, said to be all": lambda p: [reply(200, cut_at_a_line(p))],
    "cut in a line": lambda p: [reply(200, wire(p)[:-40], framed=False)] * 2,
    "reset in the middle": lambda p: [reply(200, wire(p)[:500], length=len(wire(p)))] * 2,
    "a length that is too short": lambda p: [reply(200, wire(p), length=len(wire(p)) - 40)] * 2,
    "a length that is too long": lambda p: [reply(200, wire(p), length=len(wire(p)) + 40)],
    "hung up": lambda p: [b""],
    "a list": lambda p: [reply(200, as_list(p))],
    "a list that was cut": lambda p: [reply(200, as_list(p)[:-40])] * 2,
    "a list without its end": lambda p: [reply(200, as_list(p).removesuffix(b"]"), framed=False)] * 2,
    "a list in UTF-16": lambda p: [reply(200, as_list(p).decode().encode("utf-16"))],
    "UTF-16": lambda p: [reply(200, wire(p).decode().encode("utf-16-be"))],
}


@pytest.mark.parametrize("counts", ["with counts", "with the file's size"])
@pytest.mark.parametrize("wrong", WRONG)
def test_every_row_comes_home(opened: Opened, wrong: str, counts: str) -> None:
    said = {"request_counts": counted()} if counts == "with counts" else {}
    bench, provider = opened(all_rows, **said)
    spec = bench.spec("openai", ROWS, JOB)

    def ended(method: str, path: str, body: bytes) -> tuple[int, str]:
        """The replies that are wrong stand ready once the ids are known."""
        status, text = usual(method, path, body)
        if path.startswith("/v1/batches") and method == "POST":
            provider.file_object = {} if said else {"id": "output", "bytes": len(wire(provider))}
            provider.raw[CONTENT] = WRONG[wrong](provider)
        return status, text

    usual = provider.reply
    provider.reply = ended  # type: ignore[method-assign]
    folder = bench.run(spec)
    assert [folder.result(n).raw_response for n in range(ROWS)] == [f"answer {n}" for n in range(ROWS)]
    assert len(provider.made) == len(folder.progress.submissions) == 1
    stored = (folder.path / "results.jsonl").read_bytes().splitlines()[1:]
    assert len(stored) == ROWS
    assert not provider.raw[CONTENT]
    assert bench.status(folder).attention == []


def test_fewer_rows_than_are_counted_are_waited_for_and_told(opened: Opened) -> None:
    late = 4

    def answer(ids: list[str]) -> dict[str, str | None]:
        return {"output": "".join(good(one, f"answer {place}") for place, one in enumerate(ids[:late]))}

    bench, _ = opened(answer, request_counts=counted())
    folder = bench.start(bench.spec("openai", ROWS, JOB))
    until(lambda: ("results", 1) in folder.progress.attention)
    [submission] = bench.status(folder).submissions or []
    assert submission.reason == (
        "its results are not whole: 4 rows came, and the backend counts 6 completed, 0 failed of 6"
    )
    assert [str(folder.result(n).status) for n in range(ROWS)] == ["completed"] * 4 + ["processing"] * 2
    late = ROWS
    bench.ask(folder, "collect")
    until(lambda: not bench.worker.drives(folder.id))
    assert bench.status(folder).completed == ROWS


def test_a_row_that_a_whole_body_lacks_is_missing_at_the_second_look(opened: Opened) -> None:
    bench, provider = opened(
        lambda ids: {"output": "".join(good(one) for one in ids[:5])}, request_counts=counted(5, 0)
    )
    folder = bench.run(bench.spec("openai", ROWS, JOB))
    lost = folder.result(5)
    assert (lost.error_kind, lost.error) == (
        "missing",
        'the backend says "completed" and counts 5 completed, 0 failed of 6, but gave no result for this job',
    )
    assert provider.calls.count(CONTENT) == 2


@pytest.mark.parametrize("cut", ["before its id", "after its id"])
def test_a_line_that_cannot_be_read_is_said_to_be_so(opened: Opened, cut: str) -> None:
    def answer(ids: list[str]) -> dict[str, str | None]:
        lines = [good(one) for one in ids]
        lines[1] = (lines[1][:12] if cut == "before its id" else lines[1][:80]) + "\n"
        return {"output": "".join(lines)}

    bench, _ = opened(answer, request_counts=counted())
    folder = bench.run(bench.spec("openai", ROWS, JOB))
    result = folder.result(1)
    assert (result.status, result.error_kind) == ("failed", "bad_reply")
    assert "cannot be read" in (result.error or "")


def test_a_key_that_is_refused_while_results_are_fetched_needs_a_person(opened: Opened) -> None:
    bench, provider = opened(all_rows)
    provider.refuse[CONTENT] = (401, {"error": {"message": "no such key"}})
    folder = bench.start(bench.spec("openai", 2, JOB))
    until(lambda: provider.calls.count(CONTENT))
    provider.refuse["GET /v1/batches/batch_1"] = (401, {"error": {"message": "no such key"}})
    until(lambda: ("key", None) in folder.progress.attention)
    provider.refuse.clear()
    bench.ask(folder, "resume")
    until(lambda: not bench.worker.drives(folder.id))
    assert (bench.status(folder).completed, len(provider.made)) == (2, 1)


def test_results_that_have_expired_are_given_up_as_lost(opened: Opened) -> None:
    bench, provider = opened(lambda ids: {"output": None}, completed_at=1_700_000_000)
    provider.file_object = {"expires_at": 1_700_086_400}
    folder = bench.run(bench.spec("openai", 1, JOB))
    result = folder.result(0)
    assert (result.status, result.error_kind) == ("failed", "lost")
    assert "its results were kept until 2023-11-15T22:13:20Z" in (result.error or "")


# ---- brought home later


def old_batch(bench: Bench) -> BatchFolder:
    """A batch that an older batchtui drove to its end, of this bench's account."""
    library = bench.library
    target = library.path("ckgmdz")
    shutil.copytree(OLD, target)
    account = bench.backends.get("openai").account()
    header = json.loads((target / "batch.json").read_bytes())
    old, header["accounts"] = header["accounts"]["openai"], {"openai": account}
    (target / "batch.json").write_text(json.dumps(header))
    events = [json.loads(line) for line in (target / "events.jsonl").read_bytes().splitlines()]
    lines = []
    for event in events:
        del event["crc"]
        lines.append(seal({**event, "account": account} if event.get("account") == old else event))
    (target / "events.jsonl").write_bytes(b"".join(lines))
    return library.open("ckgmdz")


def prefix_of(folder: BatchFolder) -> str:
    return folder.progress.submissions[1].token[-8:]


def again(bench: Bench, folder: BatchFolder, **args: Json) -> BatchFolder:
    bench.worker.command(folder.id, Command(command="collect", args=args))
    assert bench.worker.wait({folder.id}, 30.0), bench.worker.log()
    found = bench.library.open(folder.id)
    found.refresh()
    return found


def test_a_batch_that_ended_under_the_old_rules_comes_home(opened: Opened) -> None:
    bench, provider = opened(all_rows, request_counts=counted(4, 0) | {"total": 4})
    folder = old_batch(bench)
    before = [folder.result(n) for n in range(4)]
    assert [one.error_kind for one in before] == [None, "invalid_prompt", "missing", "missing"]
    provider._ids = [f"{prefix_of(folder)}-r{n}" for n in range(4)]
    provider.file_object = {"bytes": len(wire(provider))}
    found = again(bench, folder)
    after = [found.result(n) for n in range(4)]
    assert [str(one.status) for one in after] == ["completed"] * 4
    assert [one.raw_response for one in after[1:]] == ["answer 1", "answer 2", "answer 3"]
    assert after[0] == before[0]  # what was answered stays as it was
    assert "not the first time: " in (after[1].note or "")
    assert (found.state(), provider.made) == ("completed", [])
    assert found.progress.ended


@pytest.mark.parametrize("form", ["lines", "list"])
def test_what_was_kept_is_read_before_the_provider_is_asked(opened: Opened, form: str) -> None:
    bench, provider = opened(lambda ids: {})
    folder = old_batch(bench)
    rows = [good(f"{prefix_of(folder)}-r{n}", f"kept {n}") for n in range(4)]
    text, encoding = ("".join(rows), "utf-8") if form == "lines" else (f"[{','.join(rows)}]", "utf-16")
    (folder.path / "raw/1-output.jsonl").write_text(text, encoding=encoding)
    found = again(bench, folder, submission=1)
    assert [found.result(n).raw_response for n in (2, 3)] == ["kept 2", "kept 3"]
    assert found.result(0).raw_response == "zero"
    assert provider.calls == []


def test_collect_of_a_batch_that_lacks_nothing_changes_nothing(opened: Opened) -> None:
    bench, provider = opened(all_rows)
    folder = bench.run(bench.spec("openai", ROWS, JOB))
    before = (folder.path / "results.jsonl").read_bytes()
    calls = len(provider.calls)
    found = again(bench, folder)
    assert (found.path / "results.jsonl").read_bytes() == before
    assert len(provider.calls) == calls


def test_what_is_still_not_there_stays_what_it_was(opened: Opened) -> None:
    bench, _ = opened(
        lambda ids: {"output": good("x"), "errors": bad("y")},
        request_counts={"total": 4, "completed": 1, "failed": 1},
    )
    found = again(bench, old_batch(bench))
    results = [found.result(n) for n in range(4)]
    assert [one.error_kind for one in results] == [None, "invalid_prompt", "missing", "missing"]
