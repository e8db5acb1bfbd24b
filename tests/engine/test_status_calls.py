"""Status calls that fail 20 times in a row end no job: they only delay, and what is shown says since when."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from batchtui.config import load_config
from batchtui.demo.config_out import write_config
from batchtui.store.disk import clock
from tests.engine.bench import Bench, until
from tests.engine.flaky_front import FlakyFront
from tests.engine.test_remote import JOB, Served, creates

TIMES = 20


def seen_by_others(bench: Bench, batch_id: str) -> tuple[str | None, str | None]:
    """Last contact and next try as a process that only looks on reads them."""
    (submission,) = bench.library.open(batch_id).status(submissions=True).submissions or []
    return submission.last_contact, submission.next_try


@pytest.mark.parametrize("how", ["502", "hang", "dns"])
def test_twenty_in_a_row(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr("batchtui.engine.shared.poller.BACKOFF_CAP", 0.05)
    monkeypatch.setattr("batchtui.backends.wire.calls.CALL_TIMEOUT", 0.1)
    _, server = served("duration=0s")
    (tmp_path / "far").mkdir()
    with FlakyFront(server.url, how, TIMES) as front:
        table = server.backends["openai"]
        table["base_url"] = table["base_url"].replace(server.url, front.url)
        path = tmp_path / "far" / "config.toml"
        write_config(path, {"openai": table})
        bench = Bench(tmp_path / "far", load_config(path, env={}))
        try:
            folder = bench.start(bench.spec("openai", 3, JOB))
            until(lambda: front.failed > TIMES // 2)
            before = time.time()
            status = bench.status(folder)
            assert status.processing == 3
            assert not status.attention
            (submission,) = status.submissions or []
            assert submission.submitted
            assert submission.last_contact == submission.submitted
            assert submission.next_try
            assert clock.unix(submission.next_try) > before - 5
            until(lambda: seen_by_others(bench, folder.id)[0] == submission.submitted)
            assert seen_by_others(bench, folder.id)[1]
            until(lambda: not bench.worker.drives(folder.id))
            last, following = seen_by_others(bench, folder.id)
            assert last
            assert last > submission.submitted
            assert following is None
            assert bench.status(folder).completed == 3
            assert front.failed == TIMES
            told = [line.text for line in bench.worker.log() if "asking again" in line.text]
            assert len(told) >= TIMES - 1
        finally:
            bench.close()
    assert len(creates(server)) == 1
