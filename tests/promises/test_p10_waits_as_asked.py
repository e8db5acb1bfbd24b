"""P10: a server that asks to wait is waited for, a fifth longer at most and never above 15 minutes; each wait is seen."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest

from batchtui.backends.wire.waits import wait_of
from batchtui.engine.shared import pauses
from batchtui.engine.shared.pauses import Pauses
from tests.engine.bench import until
from tests.engine.provider import Provider, good
from tests.promises.inside import Inside

NOW = 1_795_000_000.0
CAP = 900.0
Said = str | Callable[[], str]
FORMS: list[tuple[str, str, Said, float | None]] = [
    ("seconds", "retry-after", "7", 7),
    ("a part of one", "retry-after", "1.5", 1.5),
    ("milliseconds", "retry-after-ms", "2500", 2.5),
    ("words", "retry-after", "20 seconds", 20),
    ("a duration", "retry-after", "1m30s", 90),
    ("a date", "retry-after", lambda: formatdate(NOW + 100, usegmt=True), 100),
    ("a moment", "retry-after", lambda: str(int(NOW) + 100), 100),
    ("the past", "retry-after", lambda: formatdate(NOW - 100, usegmt=True), None),
    ("nothing", "retry-after", "0", None),
    ("less than nothing", "retry-after", "-5", None),
    ("junk", "retry-after", "soon", None),
    ("huge", "retry-after", "99999999", CAP),
]


@pytest.mark.parametrize(("name", "header", "said", "asked"), FORMS, ids=[form[0] for form in FORMS])
def test_p10_twelve_forms_of_retry_after(
    name: str, header: str, said: Said, asked: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [50.0]
    monkeypatch.setattr("batchtui.backends.wire.waits.time.time", lambda: NOW)
    monkeypatch.setattr(pauses.time, "monotonic", lambda: clock[0])
    seconds, _ = wait_of({header: said if isinstance(said, str) else said()}, limited=True)
    assert seconds == (None if asked is None else pytest.approx(asked))
    for _ in range(50):
        held: Pauses[int] = Pauses()
        wait = held.hold(1, seconds)
        least, most = (asked, min(asked * 1.2, CAP)) if asked is not None else (0.5, 1.0)
        assert least <= wait <= most
        clock[0] += least - 0.01
        assert held.left(1) > 0, "it goes before its time"
        clock[0] += most - least + 0.02
        assert held.left(1) <= 0


def busy(status: int, wait: str) -> bytes:
    body = json.dumps({"error": {"message": "overloaded"}}).encode()
    head = f"HTTP/1.1 {status} X\r\nRetry-After: {wait}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def test_p10_no_create_is_repeated_without_a_look_up(tmp_path: Path) -> None:
    """A 503 may come after the work was done."""
    with Provider(lambda ids: {"output": "".join(map(good, ids))}) as provider:
        provider.raw["POST /v1/batches"] = [busy(503, "0.3"), busy(503, "0.3")]
        bench = provider.bench(tmp_path, settle=0.05)
        try:
            folder = bench.run(bench.spec("openai", 2, {"prompt": "{{ text }}", "model": "m"}))
        finally:
            bench.close()
        assert folder.status().completed == 2
        told = [call for call in provider.calls if call.endswith("/v1/batches")]
        creates = [at for at, call in enumerate(told) if call.startswith("POST")]
        assert len(creates) == 3
        for earlier, later in itertools.pairwise(creates):
            assert "GET /v1/batches" in told[earlier + 1 : later], told


@pytest.mark.parametrize("call", ["POST /v1/batches", "GET /v1/batches/batch_1"])
def test_p10_a_long_wait_is_capped_and_counted_down(tmp_path: Path, call: str) -> None:
    with Provider(lambda ids: {}, status="in_progress") as provider:
        provider.raw[call] = [busy(429, "86400")] * 5
        bench = provider.bench(tmp_path)
        try:
            folder = bench.start(bench.spec("openai", 2, {"prompt": "{{ text }}", "model": "m"}))
            until(
                lambda: (found := bench.status(folder).submissions) and found[0].next_try and found[0].reason
            )
            batchtui = Inside(tmp_path / "data", tmp_path / "config.toml")
            until(lambda: "next try in 14 min" in batchtui("status", folder.id).out)
            asked = provider.calls.count(call)
        finally:
            bench.close()
        assert asked == 1
