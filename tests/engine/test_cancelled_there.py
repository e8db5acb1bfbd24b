"""A batch that somebody cancelled where its jobs ran, and not here, is cancelled, and did not fail."""

from __future__ import annotations

import httpx
import pytest

from tests.engine.bench import until
from tests.engine.test_remote import JOB, Served

CANCEL = {
    "openai": "/v1/batches/{}/cancel",
    "anthropic": "/anthropic/v1/messages/batches/{}/cancel",
    "gemini": "/gemini/v1beta/{}:cancel",
    "mistral": "/mistral/v1/batch/jobs/{}/cancel",
    "together": "/together/v1/batches/{}/cancel",
}


@pytest.mark.parametrize("kind", CANCEL)
def test_a_batch_that_was_cancelled_at_its_provider_is_cancelled(served: Served, kind: str) -> None:
    bench, server = served("duration=60s")
    folder = bench.start(bench.spec(kind, 3, JOB))
    until(lambda: (record := folder.progress.submissions.get(1)) is not None and bool(record.remote_id))
    remote_id = folder.progress.submissions[1].remote_id or ""
    signed = {"anthropic-version": "2023-06-01", "x-api-key": "any"}
    httpx.post(server.url + CANCEL[kind].format(remote_id), headers=signed).raise_for_status()
    until(lambda: not bench.worker.drives(folder.id))
    status = bench.status(folder)
    assert (status.status, status.cancelled) == ("cancelled", 3)
    assert not folder.header.cancelling
