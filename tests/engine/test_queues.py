"""Queues of tokens: what a provider takes in of one model at a time is fed, and nothing fails for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from batchtui.backends.base import BackendSettings
from batchtui.demo.server import DemoServer
from batchtui.engine.spend.queues import is_full, size_told
from batchtui.model import BatchSpec, LimitsSpec, SourceSpec, SubmissionState
from batchtui.store.files.spend import Ledger
from tests.engine import money_help
from tests.engine.bench import Bench, until
from tests.engine.provider import Provider, good

Served = Callable[..., tuple[Bench, DemoServer]]
PARTS, WORDS = 10, 400
"""Rows, each long enough that what the server counts beside the words is little."""


def spec(bench: Bench, jobs_per_submission: int) -> BatchSpec:
    source = bench.folder_path / "long.csv"
    source.write_text("id,text\n" + "".join(f"r{n},{'word ' * WORDS}\n" for n in range(PARTS)))
    return BatchSpec(
        name="fed",
        backend="openai",
        source=SourceSpec(file=str(source)),
        job={"prompt": "{{ text }}", "model": "demo-small"},
        limits=LimitsSpec(jobs_per_submission=jobs_per_submission),
    )


def row_tokens(bench: Bench) -> int:
    return len("word " * WORDS) // 4


def statuses(server: DemoServer) -> list[str]:
    """Of all batches, as the server lists them."""
    with urlopen(
        Request(f"{server.url}/v1/batches?limit=100", headers={"Authorization": "Bearer x"})
    ) as reply:
        return [batch["status"] for batch in json.load(reply)["data"]]


def queued_at_most(bench: Bench) -> int:
    ledger, most = Ledger(), 0
    for line in money_help.lines(bench.library.data_dir):
        ledger.apply(line)
        most = max(most, sum(claim.tokens for own in ledger.claims.values() for claim in own.values()))
    return most


def test_ten_parts_pass_a_queue_of_two(served: Served) -> None:
    bench, server = served("duration=100ms,enqueued=1300")
    tokens = row_tokens(bench)
    settings: BackendSettings = bench.worker_settings("openai")
    settings.enqueued_tokens = 2 * tokens
    folder = bench.start(spec(bench, jobs_per_submission=1))
    reasons: set[str] = set()

    def done() -> bool:
        for sub in folder.status(submissions=True).submissions or []:
            if sub.status is SubmissionState.WAITING and sub.reason:
                reasons.add(sub.reason)
        return folder.status().completed == PARTS

    until(done)
    bench.drive(folder.id)
    assert set(statuses(server)) == {"completed"}
    assert len(statuses(server)) == PARTS
    assert queued_at_most(bench) == 2 * tokens
    assert any("tokens are enqueued" in reason for reason in reasons)
    assert folder.status().failed == 0


def test_parts_are_made_to_fit(served: Served) -> None:
    bench, _ = served("duration=50ms")
    bench.worker_settings("openai").enqueued_tokens = {"demo-small": 3 * row_tokens(bench)}
    folder = bench.run(spec(bench, jobs_per_submission=100))
    assert [sub.jobs for sub in folder.status(submissions=True).submissions or []] == [3, 3, 3, 1]
    assert folder.status().completed == PARTS


def test_a_refusal_tells_the_size_and_nothing_fails(served: Served) -> None:
    bench, server = served("duration=50ms,enqueued=2100")
    folder = bench.run(spec(bench, jobs_per_submission=100))
    status = folder.status(submissions=True)
    assert (status.completed, status.failed) == (PARTS, 0)
    assert 1 <= statuses(server).count("failed") <= 2
    assert queued_at_most(bench) >= 1000
    (known,) = bench.worker_spending().file.read().pools.values()
    assert known <= 2100


class Refusing(Provider):
    """Its batches fail for a full queue of 2,000 tokens so many times, and are completed after that."""

    def __init__(self, times: int) -> None:
        super().__init__(lambda ids: {"output": "".join(map(good, ids))})
        self._left = times
        words = "Enqueued token limit reached for demo-small. Limit: 2,000 enqueued tokens."
        self._errors = {"data": [{"code": "token_limit_exceeded", "message": words}]}

    def reply(self, method: str, path: str, body: bytes) -> tuple[int, str]:
        if (method, path) == ("POST", "/v1/batches"):
            refused, self._left = self._left > 0, self._left - 1
            self.batch = {"status": "failed", "errors": self._errors} if refused else {"status": "completed"}
        return super().reply(method, path, body)


@pytest.mark.parametrize(("refusals", "size"), [(1, 2000), (2, 1600)])
def test_a_queue_that_is_full_though_counted_free_is_taken_for_smaller(
    tmp_path: Path, refusals: int, size: int
) -> None:
    """Where its tokens are shorter than ours, parts of the size that was told never fit: smaller ones do."""
    with Refusing(refusals) as provider:
        bench = provider.bench(tmp_path)
        try:
            one_by_one = spec(bench, jobs_per_submission=4)
            one_by_one.limits.submissions_at_once = 1
            folder = bench.run(one_by_one)
        finally:
            bench.close()
    assert (folder.status().completed, folder.status().failed) == (PARTS, 0)
    assert list(bench.worker_spending().file.read().pools.values()) == [size]
    with_tokens = [sub.jobs for sub in folder.status(submissions=True).submissions or []]
    assert all(jobs * row_tokens(bench) <= size for jobs in with_tokens[refusals:])


def test_the_words_of_a_full_queue() -> None:
    words = (
        "Enqueued token limit reached for gpt-4o in organization org-x. Limit: 90,000 enqueued tokens. "
        "Please try again once some in_progress batches have been completed."
    )
    assert is_full(words)
    assert is_full("too much at once (token_limit_exceeded)")
    assert not is_full("This model's maximum context length is 8192 tokens.")
    assert not is_full(None)
    assert size_told(words) == 90_000
    assert size_told("token_limit_exceeded") is None
