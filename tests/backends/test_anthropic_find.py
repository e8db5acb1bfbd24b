"""Looking for a batch that bears no mark but the ids of its requests, which show only in its results."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

from batchtui.backends.base import Transient
from tests.backends.jobs_help import submission as any_submission
from tests.backends.odd_server import reply

TOKEN = "batch-1-0123abcd"


@pytest.fixture
def anthropic(odd, make):
    return make("anthropic", odd.url)


def submission(**fields):
    return any_submission(fields.pop("token", TOKEN), **{"jobs": 3, **fields})


class Provider:
    """Batches by id, newest first: their age, their size, and the ids in their results (None: still running)."""

    def __init__(self, odd):
        self.odd, self.batches, self.more = odd, [], False
        odd.answer = self.answer

    def add(self, remote_id, results=None, *, age=1.0, rows=3, archived=False):
        created = datetime.fromtimestamp(time.time() - age, UTC).isoformat()
        batch = {"id": remote_id, "created_at": created, "processing_status": "ended" if results else "in_progress",
                 "request_counts": {"processing": 0 if results else rows, "succeeded": rows if results else 0},
                 "results_url": f"{self.odd.url}/results/{remote_id}" if results and not archived else None}  # fmt: skip
        self.batches.append((batch, results))

    def answer(self, request):
        if "/results/" in request.path:
            [ids] = [ids for batch, ids in self.batches if request.path.endswith(f"/{batch['id']}")]
            return reply(200, "".join(json.dumps({"custom_id": one, "result": {}}) + "\n" for one in ids))
        return reply(200, {"data": [batch for batch, _ in self.batches], "has_more": self.more})


@pytest.fixture
def provider(odd):
    return Provider(odd)


async def test_an_ended_batch_is_known_by_its_ids(provider, anthropic):
    provider.add("theirs", ["order-1"])
    provider.add("another", ["ffffffff-a"])
    provider.add("ours", ["0123abcd_17"])
    assert (await anthropic.find(submission())).remote_id == "ours"
    read = [one.path for one in provider.odd.seen]
    assert sum("/results/" in path for path in read) == 3
    await anthropic.find(submission())
    assert len(provider.odd.seen) == len(read) + 1, "what an ended batch is was remembered"


async def test_a_running_batch_that_could_be_ours_is_waited_for(provider, anthropic):
    provider.add("running")
    found = await anthropic.find(submission())
    assert (found.remote_id, found.absent, found.later) == (None, False, True)
    assert "running" in found.reason
    provider.batches = []
    provider.add("running", ["ffffffff-a"])
    assert (await anthropic.find(submission())).absent
    provider.batches = []
    provider.add("other")
    assert (await anthropic.find(submission(others=frozenset({"other"})))).absent


async def test_size_and_age_rule_batches_out(provider, anthropic):
    provider.add("bigger", rows=4)
    assert (await anthropic.find(submission())).absent
    provider.add("smaller", rows=2)
    assert (await anthropic.find(submission())).later, "jobs that do not render are left out"
    assert (await anthropic.find(submission(facts={"rows": 3}))).absent
    assert (await anthropic.find(submission(facts={"rows": 2}))).later
    provider.batches = []
    provider.add("old", age=5000)
    provider.more = True
    assert (await anthropic.find(submission())).absent
    assert provider.odd.seen[-1].path.count("after_id") == 0


async def test_what_cannot_be_told_is_a_question(provider, anthropic):
    provider.add("archived", ["0123abcd-a"], archived=True)
    found = await anthropic.find(submission())
    assert (found.remote_id, found.absent, found.later) == (None, False, False)
    assert "archived" in found.reason
    assert not (await anthropic.find(submission(token="theirs"))).absent
    provider.odd.script(reply(405, "no list here"))
    assert not (await anthropic.find(submission())).absent
    provider.odd.script(reply(500, {}))
    with pytest.raises(Transient):
        await anthropic.find(submission())
    provider.odd.script(reply(200, {"data": []}))
    assert (await anthropic.find(submission())).absent


async def test_a_clock_set_wrong_does_not_hide_a_batch(provider, anthropic):
    ahead = 30 * 86_400
    provider.add("ours", ["0123abcd-a"], age=ahead + 60)
    listed = {"data": [batch for batch, _ in provider.batches], "has_more": False}
    stamp = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() - ahead))
    results = provider.answer
    provider.odd.answer = lambda request: (
        results(request) if "/results/" in request.path else reply(200, listed, {"Date": stamp})
    )
    assert (await anthropic.find(submission())).remote_id == "ours"
