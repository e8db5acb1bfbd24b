"""The process that judges answers: quick, in order, and gone when an answer is too much for it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from batchtui.backends.base import Answer
from batchtui.engine.shared import judging
from batchtui.engine.shared.judging import Judge, judge_outcome, judged
from batchtui.model import JobState, Outcome

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
ENDLESS = {"type": "string", "pattern": "^(a+)+$"}
BAD = '"' + "a" * 50 + 'b"'


@pytest.fixture
async def judge() -> AsyncIterator[Judge]:
    judge = Judge(seconds=0.5)
    yield judge
    await judge.close()


async def test_ten_thousand_answers_are_judged_by_one_process_in_order(judge: Judge) -> None:
    texts = ['{"a": 1}' if n % 3 else '{"a": "x"}' for n in range(10_000)]
    verdicts = await asyncio.gather(*(judge.verdict(SCHEMA, text) for text in texts))
    assert [verdict.fits for verdict in verdicts] == [bool(n % 3) for n in range(10_000)]
    assert judge.restarts == 0


async def test_an_endless_pattern_costs_its_own_answer_alone(judge: Judge) -> None:
    texts = [(SCHEMA, '{"a": 1}'), (ENDLESS, BAD), (SCHEMA, '{"a": 2}'), (ENDLESS, '"aaa"')]
    verdicts = await asyncio.gather(*(judge.verdict(schema, text) for schema, text in texts))
    assert [verdict.fits for verdict in verdicts] == [True, False, True, True]
    assert verdicts[1].error == "checking it took more than 0.5 s"
    assert judge.restarts == 1


async def test_a_schema_that_is_often_too_slow_gets_less_time() -> None:
    judge = Judge(seconds=0.2)
    verdicts = await asyncio.gather(*(judge.verdict(ENDLESS, BAD) for _ in range(judging.OVERRUNS + 2)))
    assert [verdict.error for verdict in verdicts[-3:]] == [
        "checking it took more than 0.2 s",
        "checking it took more than 0.02 s",
        "checking it took more than 0.02 s",
    ]
    assert (await judge.verdict(SCHEMA, '{"a": 1}')).fits
    await judge.close()


def test_an_endless_check_ends_by_itself_when_nobody_watches() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "batchtui.results.judging.judge"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    for question in (
        {"schema": "k", "document": ENDLESS},
        {"schema": "k", "id": 1, "text": BAD, "seconds": 0.3},
    ):
        process.stdin.write(json.dumps(question).encode() + b"\n")
    process.stdin.flush()
    assert process.wait(timeout=60) == -signal.SIGPROF
    process.communicate()


async def test_a_killed_process_is_replaced_and_nothing_is_lost(judge: Judge) -> None:
    assert (await judge.verdict(SCHEMA, '{"a": 1}')).fits
    assert judge._process
    os.kill(judge._process.pid, signal.SIGKILL)
    verdicts = await asyncio.gather(*(judge.verdict(SCHEMA, '{"a": 1}') for _ in range(50)))
    assert all(verdict.fits for verdict in verdicts)


async def test_where_no_process_can_be_started_it_says_so(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    verdict = await judge.verdict(SCHEMA, '{"a": 1}')
    assert (
        verdict.error == "it could not be checked: the check could not be started (No such file or directory)"
    )
    monkeypatch.setattr(sys, "executable", "/bin/false")
    verdicts = await asyncio.gather(*(judge.verdict(SCHEMA, "{}") for _ in range(3)))
    assert {verdict.error for verdict in verdicts} == {
        "it could not be checked: the check could not be started"
    }


async def test_a_process_that_says_nothing_is_ended(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "PATIENCE", 2.0)
    assert (await judge.verdict(SCHEMA, '{"a": 1}')).fits
    assert judge._process
    os.kill(judge._process.pid, signal.SIGSTOP)
    assert (await judge.verdict(SCHEMA, '{"a": 1}')).fits
    assert judge.restarts == 1


async def test_large_answers_and_odd_characters_pass(judge: Judge) -> None:
    large = await judge.verdict(SCHEMA, '{"a": 1, "x": "' + "y" * 3_000_000 + '"}')
    assert large.fits
    odd = await judge.verdict(SCHEMA, '{"a": 1, "x": "\\ud800 \u2028 \x7f"}')
    assert odd.value["x"].startswith("\ud800")


async def test_it_imports_nothing_from_the_folder_it_is_started_in(
    judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("jsonschema.py", "batchtui.py", "json.py"):
        (tmp_path / name).write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    assert (await judge.verdict(SCHEMA, '{"a": 1}')).fits


async def test_only_completed_answers_are_judged(judge: Judge) -> None:
    failed = Outcome(state=JobState.FAILED, error="no", error_kind="refusal")
    await judge_outcome(judge, SCHEMA, failed)
    assert (failed.state, failed.error_kind) == (JobState.FAILED, "refusal")
    silent = Outcome(state=JobState.COMPLETED, output=[{"id": "call"}])
    await judge_outcome(judge, SCHEMA, silent)
    assert (silent.state, silent.error, silent.error_kind) == (
        JobState.INVALID,
        "the answer holds no text",
        "schema",
    )


async def test_a_stream_keeps_its_order_and_what_came_before_a_fault(judge: Judge) -> None:
    async def answers() -> AsyncIterator[Answer]:
        for n in range(250):
            yield Answer(str(n), Outcome(state=JobState.COMPLETED, raw_response=f'{{"a": {n}}}'))
        raise ConnectionError

    seen = []

    async def read() -> None:
        async for answer in judged(judge, lambda _: SCHEMA, answers()):
            seen.append((answer.job_id, answer.outcome.parsed_response["a"]))

    with pytest.raises(ConnectionError):
        await read()
    assert seen == [(str(n), n) for n in range(250)]
