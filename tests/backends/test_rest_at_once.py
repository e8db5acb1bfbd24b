"""Kind `rest` where an API does the work before it answers: the reply is the result, kept first, and never bought again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from batchtui.config import load_config
from batchtui.errors import ConfigError
from batchtui.model import BatchState, JobState, SubmissionState
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from tests.backends.job_servers import KEY, Call, JobServer, Said, ogc, served, workflows
from tests.engine.bench import Bench, until

TABLES = Path(__file__).parents[1] / "data/rest"
OGC = {"input": {"process": "upper", "inputs": {"text": "{{ text }}"}}}
WORK = {"input": {"text": "{{ text }}"}}
Opened = tuple[Bench, JobServer]


def table(name: str, url: str) -> str:
    text = (TABLES / f"{name}.toml").read_text().replace("URL", url)
    return text.replace('kind = "rest"', 'kind = "rest"\npoll_interval = 0.1\nsettle = 0.3')


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Opened]]:
    monkeypatch.setenv("GATEWAY_KEY", KEY)
    with ExitStack() as stack:

        def start(name: str) -> Opened:
            server = stack.enter_context(served(ogc if name == "ogc" else workflows))
            server.at_once = True
            (tmp_path / "config.toml").write_text(
                table("ogc" if name == "ogc" else "aws_at_once", server.url)
            )
            bench = Bench(tmp_path, load_config(tmp_path / "config.toml", env=os.environ))
            stack.callback(bench.close)
            return bench, server

        yield start


def test_a_server_that_may_answer_either_way_is_taken_at_its_word(opened: Callable[[str], Opened]) -> None:
    bench, server = opened("ogc")
    folder = bench.run(bench.spec("ogc", 3, OGC))
    assert (folder.status().status, folder.status().completed) == (BatchState.COMPLETED, 3)
    assert folder.result(2).output == {"text": "TEXT OF ROW 2"}
    assert [call.method for call in server.calls] == ["POST"] * 3  # nothing is asked for, and nothing twice
    server.at_once = False
    later = bench.run(bench.spec("ogc", 3, OGC))
    assert later.result(2).output == folder.result(2).output
    assert server.jobs[str(later.result(2).batch_id)]["input"] == {"text": "text of row 2"}


def test_what_comes_at_once_ends_its_submission_and_says_how(opened: Callable[[str], Opened]) -> None:
    bench, server = opened("workflows")
    job = {"input": {"text": "{{ 'break' if id == 'r1' else text }}"}}
    folder = bench.run(bench.spec("workflows", 4, job))
    states = [folder.result(n).status for n in range(4)]
    assert states == [JobState.COMPLETED, JobState.FAILED, JobState.COMPLETED, JobState.COMPLETED]
    assert folder.result(0).output == {"text": "TEXT OF ROW 0"}
    made = {job["input"]["text"]: job["id"] for job in server.jobs.values()}
    assert str(folder.result(0).remote["arn"]).endswith(f":{made['text of row 0']}")
    assert folder.result(1).error == "it broke"
    assert len(server.jobs) == 4
    record = folder.progress.submissions[1]
    assert (record.state, record.remote_id, record.answer) == (
        SubmissionState.COLLECTED, None, "1-answer.json",
    )  # fmt: skip
    said = [
        line
        for line in (folder.path / "events.jsonl").read_text().splitlines()
        if '"event":"answered"' in line
    ]
    assert len(said) == 4
    assert "TEXT OF ROW" not in (folder.path / "events.jsonl").read_text()  # the journal names the file alone


def test_where_the_place_holds_nothing_a_person_is_asked(opened: Callable[[str], Opened]) -> None:
    bench, server = opened("workflows")
    folder = bench.run(bench.spec("workflows", 1, {"input": {"text": "nothing"}}))
    (attention,) = folder.status().attention
    assert attention.kind == "unsure"
    assert "no result at submit.result (output)" in attention.text
    assert len(server.jobs) == 1


def test_a_status_that_is_not_known_loses_nothing(opened: Callable[[str], Opened]) -> None:
    bench, server = opened("workflows")
    folder = bench.start(bench.spec("workflows", 1, {"input": {"text": "odd"}}))

    def reason() -> str:
        return next((one.reason or "" for one in bench.status(folder).submissions or []), "")

    until(lambda: "SETTLED" in reason())
    assert '[backends.workflows.states] what it means, such as SETTLED = "completed"' in reason()
    bench.close()
    config = bench.folder_path / "config.toml"
    config.write_text(config.read_text() + 'SETTLED = "completed"\n')
    again = Bench(bench.folder_path, load_config(config, env=os.environ))
    assert again.drive(folder.id).result(0).output == {"text": "ODD"}
    again.close()
    assert len(server.jobs) == 1


def test_a_batch_that_keeps_nothing_of_what_came_lets_the_answer_go(opened: Callable[[str], Opened]) -> None:
    bench, _ = opened("ogc")
    spec = bench.spec("ogc", 2, OGC)
    spec.output.raw = False
    folder = bench.run(spec)
    assert folder.status().completed == 2
    assert not list((folder.path / "raw").iterdir())


def test_what_was_only_taken_is_no_result(opened: Callable[[str], Opened]) -> None:
    bench, server = opened("ogc")
    server.at_once, server.nameless = False, 1
    folder = bench.run(bench.spec("ogc", 1, OGC))
    assert [one.kind for one in folder.status().attention] == ["unsure"]
    assert len(server.jobs) == 1


FETCH = '[backends.workflows.fetch]\npath = "x/{{ id }}"'
FAULTS = {
    'result = "output"': ('result = "header:X-Result"', "submit.result: a result that comes at once is kept by its body"),
    'status = "status"': ('each = { id = "{{ id }}" }', "submit.result: goes with one job a submit"),
    "[backends.workflows.states]": (f"{FETCH}\n[backends.workflows.states]", "fetch: goes with poll"),
    'result = "output"\n': ("", "poll: missing; say how work is asked for, or by submit.result"),
}  # fmt: skip


@pytest.mark.parametrize("line", list(FAULTS))
def test_what_the_table_lacks_is_said(opened: Callable[[str], Opened], tmp_path: Path, line: str) -> None:
    _, server = opened("workflows")
    other, words = FAULTS[line]
    text = table("aws_at_once", server.url)
    assert line in text
    (tmp_path / "config.toml").write_text(text.replace(line, other))
    again = Bench(tmp_path, load_config(tmp_path / "config.toml", env=os.environ))
    try:
        with pytest.raises(ConfigError, match=words.replace("[", r"\[")):
            again.backends.get("workflows")
    finally:
        again.close()


# ---- killed on the way

PROGRAM = """
import sys
from tests.crashes.points import arm
arm(sys.argv[1], int(sys.argv[2]))
from batchtui.cli.entry import program
sys.argv = ["batchtui", *sys.argv[3:]]
program()
"""
BEFORE = ("create.after", "reply.before", "reply.after", "answer.before")
"""Whoever dies here has nothing of the answer on the disk."""
AFTER = (
    ("answer.after", 1), ("answer.after", 3), ("record.before", 1), ("record.before", 3), ("record.after", 1),
    ("result.before", 1), ("result.middle", 2), ("collected.before", 1),
)  # fmt: skip


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[JobServer]:
    big = "x" * 300_000  # over what a pipe or a page holds: it may break off anywhere

    def answer(server: JobServer, call: Call) -> Said | None:
        said = ogc(server, call)
        if said is not None and said.status == 200:
            said.body = {**said.body, "big": big}
        return said

    with served(answer) as server:
        server.at_once = True
        (tmp_path / "config.toml").write_text(table("ogc", server.url))
        (tmp_path / "rows.csv").write_text("id,text\na,first\nb,second\nc,third\n")
        (tmp_path / "batch.toml").write_text(
            'name = "b"\nbackend = "ogc"\n[source]\nfile = "rows.csv"\n[job]\n'
            'input = { process = "upper", inputs = { text = "{{ text }}" } }\n[limits]\nconcurrency = 1\n'
        )
        yield server


def batchtui(folder: Path, *words: str, point: str = "", nth: int = 1) -> subprocess.CompletedProcess[bytes]:
    env = {
        **os.environ,
        "BATCHTUI_DATA_DIR": str(folder / "data"),
        "BATCHTUI_CONFIG": str(folder / "config.toml"),
    }
    program = ["-c", PROGRAM, point, str(nth)] if point else ["-m", "batchtui"]
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, *program, *words], env=env, capture_output=True, timeout=120, cwd=root
    )


def only(folder: Path) -> BatchFolder:
    library = Library(folder / "data")
    (batch_id,) = library.ids()
    return library.open(batch_id)


@pytest.mark.parametrize(("point", "nth"), AFTER)
def test_an_answer_that_was_kept_is_not_bought_again(
    server: JobServer, tmp_path: Path, point: str, nth: int
) -> None:
    killed = batchtui(tmp_path, "run", str(tmp_path / "batch.toml"), "--yes", point=point, nth=nth)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    resumed = batchtui(tmp_path, "resume", only(tmp_path).id)
    assert resumed.returncode == 0, resumed.stderr.decode()
    folder = only(tmp_path)
    outputs: list[Any] = [folder.result(n).output for n in range(3)]
    assert [one["text"] for one in outputs] == ["FIRST", "SECOND", "THIRD"]
    assert sorted(job["input"]["text"] for job in server.jobs.values()) == ["first", "second", "third"]
    assert batchtui(tmp_path, "fsck", folder.id).returncode == 0


@pytest.mark.parametrize("point", BEFORE)
def test_an_answer_that_was_lost_asks_a_person_and_buys_nothing(
    server: JobServer, tmp_path: Path, point: str
) -> None:
    killed = batchtui(tmp_path, "run", str(tmp_path / "batch.toml"), "--yes", point=point, nth=2)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    made = len(server.jobs)
    resumed = batchtui(tmp_path, "resume", only(tmp_path).id)
    assert resumed.returncode == 1, resumed.stderr.decode()
    folder = only(tmp_path)
    (attention,) = folder.status().attention
    assert (attention.kind, attention.actions) == ("unsure", ("resend", "adopt", "abandon"))
    bought = [job["input"]["text"] for job in server.jobs.values()]
    assert len(set(bought)) == len(bought) >= made
    told = batchtui(tmp_path, "resolve", folder.id, "--submission", str(attention.submission), "resend")
    assert told.returncode == 0, told.stderr.decode()
    assert batchtui(tmp_path, "resume", folder.id).returncode == 0
    assert only(tmp_path).status().completed == 3
    assert len(server.jobs) <= 4  # once more at most, since a person said so


def test_damage_to_a_stored_result_is_mended_from_the_answer(server: JobServer, tmp_path: Path) -> None:
    assert batchtui(tmp_path, "run", str(tmp_path / "batch.toml"), "--yes").returncode == 0
    folder = only(tmp_path)
    path = folder.path / "results.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"SECOND"', b'"SECOMD"'))
    assert batchtui(tmp_path, "fsck", folder.id).returncode == 1
    assert batchtui(tmp_path, "fsck", folder.id, "--repair").returncode in (0, 1)
    assert batchtui(tmp_path, "resume", folder.id).returncode == 0
    assert batchtui(tmp_path, "fsck", folder.id).returncode == 0
    shown = json.loads(batchtui(tmp_path, "show", folder.id, "b", "--json").stdout)
    assert shown["output"]["text"] == "SECOND"
    assert len(server.jobs) == 3
