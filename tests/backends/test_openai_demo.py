"""Kind `openai` against the demo server: a whole batch, lost replies, cancel, expiry."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from batchtui.backends.base import Unsure
from batchtui.model import JobState, SubmissionState
from tests.backends.jobs_help import job, submission


async def until_ended(backend, one):
    async with asyncio.timeout(20):
        while True:
            progress = (await backend.poll([one]))[one.id]
            if progress.state is SubmissionState.ENDED:
                one.facts.update(progress.facts)
                return progress
            await asyncio.sleep(0.1)


async def outcomes(backend, one):
    return {answer.job_id: answer.outcome async for answer in backend.results(one, None)}


async def test_a_whole_batch(demo, make):
    server = demo()
    openai = make("openai", server.url)
    one = submission()
    one.remote_id = await openai.submit(one, (job(n) for n in range(20)), one.facts.update)
    progress = await until_ended(openai, one)
    assert (progress.ended_as, progress.completed, progress.total) == ("completed", 20, 20)
    answers = await outcomes(openai, one)
    assert set(answers) == {f"row {n}" for n in range(20)}
    assert {outcome.state for outcome in answers.values()} == {JobState.COMPLETED}
    assert all(outcome.raw_response and outcome.output_tokens for outcome in answers.values())
    [listed] = [batch for batch in await openai.list() if batch.token == "token-1"]
    assert listed.remote_id == one.remote_id
    assert (await openai.probe()).ok


async def test_a_lost_reply_is_found_again_and_made_once(demo, make):
    server = demo("drop.create=1")
    openai = make("openai", server.url)
    one = submission()
    with pytest.raises(Unsure):
        await openai.submit(one, [job()], one.facts.update)
    found = await openai.find(one)
    assert found.remote_id
    assert (await openai.find(submission("another"))).absent
    assert len([line for line in server.ledger() if line["op"] == "create"]) == 1


async def test_partial_failures_and_expiry(demo, make):
    server = demo("partial=0.5,expire=0.5,seed=3")
    openai = make("openai", server.url)
    one = submission()
    one.remote_id = await openai.submit(one, [job(n) for n in range(12)], one.facts.update)
    progress = await until_ended(openai, one)
    assert progress.ended_as == "expired"
    states = {outcome.state for outcome in (await outcomes(openai, one)).values()}
    assert JobState.EXPIRED in states
    assert JobState.COMPLETED in states


async def test_cancel_is_final_when_the_server_says_so(demo, make):
    server = demo("duration=30s")
    openai = make("openai", server.url)
    one = submission()
    one.remote_id = await openai.submit(one, [job(n) for n in range(4)], one.facts.update)
    await openai.cancel(one)
    assert (await until_ended(openai, one)).ended_as == "cancelled"
    assert {outcome.state for outcome in (await outcomes(openai, one)).values()} <= {
        JobState.CANCELLED,
        JobState.COMPLETED,
    }


@pytest.mark.parametrize("dialect", ["groq", "azure", "deepinfra", "compatible"])
async def test_a_whole_batch_in_every_dialect(demo, make, dialect):
    server = demo("duration=100ms,partial=0.3,seed=2")
    window = {"completion_window": "7d"} if dialect == "groq" else {}
    backend = make("openai", server.url, dialect=dialect, base_url=f"{server.url}/openai/v1", **window)
    one = submission(f"t-1-{'ab' * 4}")
    jobs = [replace(job(n, f"r{n}"), token=one.token) for n in range(8)]
    one.remote_id = await backend.submit(one, jobs, one.facts.update)
    assert (await backend.find(one)).remote_id == one.remote_id
    await until_ended(backend, one)
    assert set(await outcomes(backend, one)) == {f"abababab-r{n}" for n in range(8)}
