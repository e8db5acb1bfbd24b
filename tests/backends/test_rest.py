"""Kind `rest` over a task API that it was never told of but in its table: to the end, at most once, and every fault named."""

from __future__ import annotations

import json
import os
import threading
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from batchtui import manual
from batchtui.backends import registry
from batchtui.config import load_config
from batchtui.engine.adopt.adopting import adopt
from batchtui.errors import ConfigError, NotFound
from batchtui.model import BatchState, JobState, Json
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from tests.backends.task_api import LONG_KEY, USER_KEY, TaskApi, task_api
from tests.engine.bench import Bench, until

TABLES = (Path(__file__).parents[1] / "data/rest/tasks.toml").read_text()
INPUT = {"input": {"text": "{{ text }}"}, "name": "{{ id }} by name"}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskApi]:
    monkeypatch.setenv("LAB_KEY", LONG_KEY)
    monkeypatch.setenv("LAB_USER_KEY", USER_KEY)
    with task_api() as served:
        yield served


@pytest.fixture
def bench(api: TaskApi, tmp_path: Path) -> Iterator[Bench]:
    (tmp_path / "config.toml").write_text(TABLES.replace("URL", api.url))
    bench = Bench(tmp_path, load_config(tmp_path / "config.toml", env=os.environ))
    yield bench
    bench.close()


def outputs(folder: BatchFolder) -> dict[str, Json]:
    return {result.job_id: result.output for result in map(folder.result, range(folder.progress.total))}


def test_jobs_run_to_the_end_with_no_line_of_code(bench: Bench, api: TaskApi, tmp_path: Path) -> None:
    api.seconds = 0.3
    folder = bench.start(bench.spec("tasks", 8, INPUT))
    until(lambda: {one.facts.get("doing") for one in folder.progress.submissions.values()} & {"mixing 50 %"})
    bench.drive(folder.id)
    status = bench.status(folder)
    assert (status.status, status.completed, status.cost_usd) == (BatchState.COMPLETED, 8, 2.0)
    result = folder.result(3)
    assert (result.name, result.raw_response) == ("r3 by name", "TEXT OF ROW 3")
    assert result.remote["number"] == result.output["number"]
    assert result.remote["id"] == result.batch_id
    assert api.count("POST", "/api/tasks") == len(api.tasks) == 8
    assert {task["called"] for task in api.tasks.values()} == {f"r{n} by name" for n in range(8)}
    assert all(task["times"] == 1 for task in api.tasks.values())
    assert len(api.tokens) == 1
    polls = [at for method, at in api.calls if method == "GET" and not at.endswith("output")]
    alone = [at for at in polls if "t%2F" in at]
    assert len(alone) < 8 < len(polls)  # one list for all, a page at a time
    for file in (tmp_path / "data").rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert not any(secret.encode() in data for secret in (LONG_KEY, USER_KEY, *api.tokens)), file


def test_failed_refused_and_cancelled_are_told_apart(bench: Bench, api: TaskApi) -> None:
    spec = bench.spec(
        "tasks",
        3,
        {"input": {"text": "{{ 'break' if id == 'r1' else 'refuse me' if id == 'r2' else text }}"}},
    )
    folder = bench.run(spec)
    states = [(folder.result(n).status, folder.result(n).error) for n in range(3)]
    assert [state for state, _ in states] == [JobState.COMPLETED, JobState.FAILED, JobState.FAILED]
    assert states[1][1] == "it broke"
    assert "not a text for us" in (states[2][1] or "")
    api.seconds = 60
    folder = bench.start(bench.spec("tasks", 2, INPUT))
    until(lambda: len(api.tasks) == 4)
    until(lambda: bench.status(folder).processing == 2)
    bench.ask(folder, "cancel")
    until(lambda: bench.status(folder).status is BatchState.CANCELLED)
    assert bench.status(folder).cancelled == 2
    assert api.count("POST", "/api/tasks/t%2F4/stop") == 1


def test_a_lost_reply_is_looked_up_and_nothing_is_made_twice(bench: Bench, api: TaskApi) -> None:
    api.lose, api.fail, api.busy = 2, 1, 1
    folder = bench.run(bench.spec("tasks", 5, INPUT))
    assert bench.status(folder).completed == 5
    assert len(api.tasks) == 5
    assert {task["called"] for task in api.tasks.values()} == {f"r{n} by name" for n in range(5)}


@pytest.mark.parametrize("status", [302, 303])
def test_a_create_that_is_redirected_may_have_been_made(bench: Bench, api: TaskApi, status: int) -> None:
    api.elsewhere = status
    folder = bench.run(bench.spec("tasks", 3, INPUT))
    assert bench.status(folder).completed == 3
    assert len(api.tasks) == 3
    assert all(task["times"] == 1 for task in api.tasks.values())


def test_what_cannot_be_looked_up_needs_a_person(bench: Bench, api: TaskApi) -> None:
    bench.config.backends["tasks"].table.pop("find")
    api.lose = 1
    folder = bench.run(bench.spec("tasks", 1, INPUT))
    (attention,) = bench.status(folder).attention
    assert attention.kind == "unsure"
    assert "ask the service itself" in attention.text
    assert len(api.tasks) == 1


def test_a_list_that_does_not_say_where_it_ends_proves_nothing(bench: Bench, api: TaskApi) -> None:
    find = bench.config.backends["tasks"].table["find"]
    find["query"] = {}
    del find["cursor"]
    api.fail = 1
    folder = bench.run(bench.spec("tasks", 1, INPUT))
    assert "read to its end" in bench.status(folder).attention[0].text
    assert not api.tasks


def test_a_list_that_shows_no_marks_proves_nothing(bench: Bench, api: TaskApi) -> None:
    bench.config.backends["tasks"].table["find"]["token"] = "marks"
    bench.run(bench.spec("tasks", 1, INPUT))
    api.fail = 1
    folder = bench.run(bench.spec("tasks", 1, INPUT))
    (attention,) = bench.status(folder).attention
    assert "it may be t/1 (1 show nothing at find.token (marks))" in attention.text
    assert len(api.tasks) == 1


def test_a_person_names_what_was_made(bench: Bench, api: TaskApi) -> None:
    bench.config.backends["tasks"].table.pop("find")
    api.lose = 1
    folder = bench.run(bench.spec("tasks", 1, INPUT))
    bench.ask(folder, "resolve", action="adopt", remote_id="t/1", submission=1)
    bench.drive(folder.id)
    assert (folder.status().completed, folder.status().attention, len(api.tasks)) == (1, [], 1)


async def test_one_made_elsewhere_is_taken_over(bench: Bench, api: TaskApi) -> None:
    bench.run(bench.spec("tasks", 2, INPUT))
    backend: Any = bench.backends.fresh("tasks")
    library = Library(bench.folder_path / "elsewhere")
    with pytest.raises(NotFound, match="has no batch"):
        await adopt(library, backend, "t/9")
    adopted = await adopt(library, backend, "t/2")
    await backend.close()
    bench.library = library
    bench.worker.stop()
    bench.worker = bench.new_worker()
    folder = bench.drive(adopted.folder.id)
    assert folder.status().completed == 1
    assert folder.result(0).raw_response in ("TEXT OF ROW 0", "TEXT OF ROW 1")
    assert len(api.tasks) == 2


def test_a_list_alone_is_polled_and_an_answer_may_stand_in_the_poll(bench: Bench, api: TaskApi) -> None:
    table = bench.config.backends["tasks"].table
    for key in ("path", "progress", "stage"):
        table["poll"].pop(key)
    folder = bench.run(bench.spec("tasks", 4, INPUT))
    assert folder.status().completed == 4
    assert not [
        at for method, at in api.calls if method == "GET" and at.split("?")[0].endswith(("1", "2", "3", "4"))
    ]
    table = bench.config.backends["crates"].table
    table.update(
        submit=bench.config.backends["tasks"].table["submit"], states={"working_on_it": "processing"}
    )
    table.pop("fetch")
    table.pop("jobs_per_submission")
    folder = bench.run(bench.spec("crates", 2, INPUT))
    assert [result["step"] for result in outputs(folder).values()] == ["mixing", "mixing"]


def test_a_token_that_runs_out_is_renewed_once(bench: Bench, api: TaskApi) -> None:
    api.seconds = 0.3
    folder = bench.start(bench.spec("tasks", 1, INPUT))
    until(lambda: api.tasks)
    api.forget_token = True
    until(lambda: bench.status(folder).status is BatchState.COMPLETED)
    assert len(api.tokens) == 2
    assert len(api.tasks) == 1


def test_refused_keys_need_a_person_and_are_not_repeated_in_words(
    bench: Bench, api: TaskApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KEY", "another-key-0123456789")
    folder = bench.run(bench.spec("tasks", 2, INPUT))
    (attention,) = bench.status(folder).attention
    assert attention.kind == "key"
    assert "no such user" in attention.text
    assert "another-key" not in attention.text
    assert USER_KEY not in attention.text
    assert not api.tasks


def test_many_jobs_in_one_submission(bench: Bench, api: TaskApi) -> None:
    job = {"input": {"text": "{{ 'break' if id == 'r4' else text }}"}}
    folder = bench.run(bench.spec("crates", 12, job))
    status = bench.status(folder)
    assert (status.completed, status.failed) == (11, 1)
    assert [one.jobs for one in status.submissions or []] == [5, 5, 2]
    assert outputs(folder)["r7"] == "TEXT OF ROW 7"
    assert folder.result(4).error == "it broke"


async def test_what_lives_there_is_listed_and_probed(api: TaskApi, bench: Bench) -> None:
    folder = bench.run(bench.spec("tasks", 4, INPUT))
    backend: Any = bench.backends.fresh("tasks")
    listed = await backend.list()
    assert {one.token for one in listed} == {one.token for one in folder.progress.submissions.values()}
    assert {one.status for one in listed} == {"DONE"}
    assert {one.remote_id for one in listed} == {"t/1", "t/2", "t/3", "t/4"}
    probe = await backend.probe()
    assert (probe.ok, "shows 4" in probe.message) == (True, True)
    await backend.close()


def test_a_preview_shows_the_call_without_secrets(bench: Bench) -> None:
    from batchtui.engine.plan.planning import preview

    spec = bench.spec("tasks", 2, {"input": {"text": "{{ text }}", "times": "3"}})
    shown = preview(spec, bench.folder_path, bench.backends, row=2)
    assert shown.sent["path"] == "tasks"
    assert shown.sent["body"] == {"text": "text of row 1", "times": 3, "called": "r1"}
    assert LONG_KEY not in str(shown.sent)
    spec.job = {"input": {"words": "x"}}
    (problem,) = preview(spec, bench.folder_path, bench.backends).problems
    assert problem.key == "job.input"
    assert "backends.tasks.submit.body.text: " in problem.message
    assert 'no key "text"' in problem.message


def edited(change: Callable[[dict[str, Any]], object], name: str = "tasks") -> dict[str, Json]:
    table = tomllib.loads(TABLES)["backends"][name]
    table["base_url"] = "http://127.0.0.1:9"
    change(table)
    return table


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("base_url"), "backends.x.base_url: missing"),
        (lambda t: t.pop("submit"), "backends.x.submit: missing"),
        (lambda t: t["submit"].pop("path"), "backends.x.submit.path: missing"),
        (lambda t: t["submit"].update(pth="x"), 'backends.x.submit.pth: unknown key; did you mean "path"?'),
        (lambda t: t["submit"].update(method="FETCH"), "backends.x.submit.method: "),
        (
            lambda t: t["submit"].update(path="https://elsewhere.invalid/x"),
            "backends.x.submit.path: expected a path",
        ),
        (
            lambda t: t["submit"].update(body={"a": "{{ inptu }}"}),
            'backends.x.submit.body: no name "inptu" here; did you mean "input"?',
        ),
        (lambda t: t["submit"].update(body={"a": "{{ input"}), "backends.x.submit.body.a: character 1"),
        (lambda t: t["submit"].update(body={"a": "{{ row }}"}), 'backends.x.submit.body: no name "row"'),
        (lambda t: t["submit"].update(id="a..b"), "backends.x.submit.id: "),
        (lambda t: t["submit"].update(keep={"token": "a"}), "backends.x.submit.keep.token: "),
        (
            lambda t: t["submit"].update(headers={"Authorization": "secret"}),
            "backends.x.submit.headers.Authorization: a key",
        ),
        (
            lambda t: t["submit"].update(headers={"A": "env:NOT_SET_HERE"}),
            "backends.x.submit.headers.A: the variable NOT_SET_HERE is not set",
        ),
        (
            lambda t: t["submit"].update(headers={"A": "B"}),
            "backends.x.find.token: submit sends no {{ token }}",
        ),
        (
            lambda t: t["submit"].update(each={"a": 1}, body="{{ jobs }}"),
            "backends.x.submit.each: put {{ id }}",
        ),
        (lambda t: t["submit"].update(query={"key": "abc"}), "backends.x.submit.query.key: a key"),
        (
            lambda t: t["submit"].update(body={"key": "sk-0123456789abcdefgh"}),
            "backends.x.submit.body.key: a key",
        ),
        (
            lambda t: t["submit"].update(each={"a": 1}, body={"a": 1}),
            "backends.x.submit.body: put {{ jobs }}",
        ),
        (
            lambda t: t["sign_in"].update(body={"password": "pa55word"}),
            "backends.x.sign_in.body.password: a key",
        ),
        (lambda t: t.update(poll={"status": "s"}), "backends.x.poll.path: missing"),
        (lambda t: t["poll"]["list"].pop("cursor"), "backends.x.poll.list.cursor: missing"),
        (lambda t: t["poll"]["list"].pop("query"), "backends.x.poll.list.cursor: nothing of the call"),
        (lambda t: t["states"].update(odd="done"), "backends.x.states"),
        (lambda t: t["fetch"].update(next="link:next"), "backends.x.fetch.next: goes with fetch.items"),
        (
            lambda t: t["fetch"].update(format="file", items="a"),
            "backends.x.fetch.items: a result of format file",
        ),
        (
            lambda t: t["fetch"].update(format="jsn"),
            'backends.x.fetch.format: "jsn" is none of json, jsonl, text, file; did you mean "json"?',
        ),
        (
            lambda t: t["fetch"].update(format="text", method="POST"),
            "backends.x.fetch.format: goes with a GET",
        ),
        (lambda t: t["submit"].update(id="heder:Location"), 'no such place "heder:"; did you mean "header"?'),
        (
            lambda t: t["submit"].update(id_in="jobs"),
            "backends.x.submit.id_in: expected text around {{ id }}",
        ),
        (lambda t: t["poll"].update(url="https://x"), "backends.x.poll.url: expected one {{ name }}"),
        (
            lambda t: t["poll"].update(url="{{ numbr }}"),
            'backends.x.poll.url: no name "numbr" here; did you mean "number"?',
        ),
        (lambda t: t["poll"].update(hold="20m"), "backends.x.poll.hold: expected at most 600 s"),
        (lambda t: t["poll"].update(status="http:code"), "there is http:status alone"),
        (lambda t: t["states"].update(odd="complete"), '"complete" is none of submitted, processing'),
        (
            lambda t: t["submit"].update(callback_url="x"),
            "backends.x.submit.callback_url: there are no webhooks",
        ),
        (lambda t: t.update(webhook={}), "backends.x.webhook: there are no webhooks"),
        (lambda t: t.update(look_back="soon"), "backends.x.look_back: "),
        (lambda t: t.update(jobs_per_submission=3), "backends.x.jobs_per_submission: goes with submit.each"),
    ],
)
def test_every_fault_of_the_table_is_named_by_its_key(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    monkeypatch.setenv("LAB_KEY", LONG_KEY)
    monkeypatch.setenv("LAB_USER_KEY", USER_KEY)
    with pytest.raises(ConfigError) as caught:
        registry.build("x", edited(change), None)
    assert words in str(caught.value)
    assert not any(secret in str(caught.value) for secret in (LONG_KEY, USER_KEY, "pa55word"))


def test_the_manual_describes_a_backend_that_can_be_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENDER_KEY", "a-key-of-nobody")
    text = manual.page("rest").text.partition("```toml\n")[2].partition("```")[0]
    backend = registry.build("renders", tomllib.loads(text)["backends"]["renders"], None)
    assert backend.limits.jobs_per_submission == 1


def test_a_status_that_is_not_known_hides_behind_no_other(bench: Bench, api: TaskApi) -> None:
    api.seconds = 60
    folder = bench.start(bench.spec("tasks", 3, INPUT))
    until(lambda: len(api.tasks) == 3)
    api.tasks["t%2F2"]["state"] = "ON_HOLD"

    def troubles() -> dict[str, str]:
        return {
            one.remote_id or "": one.trouble for one in bench.status(folder).submissions or [] if one.trouble
        }

    until(troubles)
    assert list(troubles()) == ["t/2"]
    assert 'the status "ON_HOLD" is not known: say in [backends.tasks.states]' in troubles()["t/2"]
    for task in api.tasks.values():
        task["state"] = "DONE"
    until(lambda: bench.status(folder).status is BatchState.COMPLETED)
    assert bench.status(folder).completed == 3
    told = [line for line in bench.worker.log() if "ON_HOLD" in str(line) and "has not answered" in str(line)]
    assert len(told) == 1


def test_what_was_sent_under_another_name_is_looked_up_by_that(
    bench: Bench, api: TaskApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The service lists by the batch's name: a create whose reply was lost is found after a rename, and not made twice."""
    everything, renamed = api.listed, threading.Event()

    def of_that_name(query: dict[str, str]) -> Any:
        told, name = everything(query), query.get("of", "")  # only a look-up says whose it wants
        shown = renamed.is_set() or not name  # until then the service is late to list what was made
        return {**told, "tasks": [one for one in told["tasks"] if shown and one["mark"].startswith(name)]}

    bench.close()
    head, find = TABLES.replace("settle = 0.3", "settle = 20.0", 1).split("[backends.tasks.find]")
    find = find.replace('mark = "{{ cursor }}"', 'mark = "{{ cursor }}", of = "{{ batch }}"', 1)
    config = tmp_path / "config.toml"
    config.write_text(f"{head}[backends.tasks.find]{find}".replace("URL", api.url))
    bench = Bench(tmp_path, load_config(config, env=os.environ))
    monkeypatch.setattr(api, "listed", of_that_name)
    api.lose = 1
    try:
        folder = bench.start(bench.spec("tasks", 1, INPUT))
        until(lambda: any(one.state == "unsure" for one in folder.progress.submissions.values()))
        bench.ask(folder, "rename", name="another")
        until(lambda: bench.status(folder).name == "another")
        renamed.set()
        bench.drive(folder.id)
        status = bench.status(folder)
        assert (status.name, status.completed, len(api.tasks)) == ("another", 1, 1)
    finally:
        bench.close()


def test_a_token_in_a_result_or_in_a_reason_is_not_stored(
    bench: Bench, api: TaskApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usual = api.answer

    def saying_back(method: str, target: str, headers: dict[str, str], body: Any) -> Any:
        answer = usual(method, target, headers, body)
        if answer is None or not api.tokens or target.endswith("session"):
            return answer
        return answer[0], json.loads(json.dumps(answer[1]).replace("it broke", f"no {api.tokens[-1]}")) | {
            "you": headers.get("x-session")
        }

    monkeypatch.setattr(api, "answer", saying_back)
    job = {"input": {"text": "{{ 'break' if id == 'r1' else 'say back' }}"}}
    folder = bench.run(bench.spec("tasks", 2, job))
    assert [folder.result(n).status for n in range(2)] == [JobState.COMPLETED, JobState.FAILED]
    assert folder.result(1).error == "no •••"
    for file in (tmp_path / "data").rglob("*"):
        assert not file.is_file() or not any(token.encode() in file.read_bytes() for token in api.tokens), (
            file
        )
    assert not [line for line in bench.worker.log() if any(token in line.text for token in api.tokens)]
