"""P11: a submission that expired, was cancelled or partly failed keeps what was answered; only the rest is asked again."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from pathlib import Path

import pytest

from batchtui.engine.shared import backoff
from tests.engine.provider import Provider, bad, good

JOB = {"prompt": "{{ text }}", "model": "m"}
ROWS = 6
MIXES: list[tuple[str, Sequence[int], Sequence[int]]] = [
    ("expired", [0, 1, 2], []),
    ("expired", [], []),
    ("expired", [0, 2, 4], [1, 3, 5]),
    ("expired", [5], [0, 1]),
    ("cancelled", [0, 1, 2, 3], []),
    ("cancelled", [], [0]),
    ("cancelled", [1, 3], [0, 2]),
    ("completed", [0, 1, 2, 3], [4, 5]),
    ("completed", [5], [0, 1, 2, 3, 4]),
    ("failed", [0, 1], [2]),
]
"""How it ended, which rows were answered, and which were refused one by one."""


class Partly(Provider):
    """Ends its first batch by a mix; any later one is answered in full. Notes what each of them was asked."""

    def __init__(self, mix: tuple[str, Sequence[int], Sequence[int]]) -> None:
        super().__init__(self._files)
        self._mix = mix
        self.paid: collections.Counter[str] = collections.Counter()
        """By the row's own number, how often an answer to it was given."""

    def _files(self, ids: list[str]) -> dict[str, str | None]:
        ended, answered, refused = self._mix
        if len(self.made) > 1:
            self.batch = {"status": "completed"}
            return {"output": "".join(good(one, "later") for one in ids)}
        self.batch = {"status": ended}
        files: dict[str, str | None] = {}
        if answered:
            files["output"] = "".join(good(ids[n], f"answer {n}") for n in answered)
        if refused:
            files["errors"] = "".join(bad(ids[n]) for n in refused)
        return files

    def reply(self, method: str, path: str, body: bytes) -> tuple[int, str]:
        status, text = super().reply(method, path, body)
        if f"{method} {path}" == "POST /v1/batches":
            rows = [int(one.rpartition("-r")[2]) for one in self._ids]
            self.paid.update(f"r{n}" for n in (rows if len(self.made) > 1 else self._mix[1]))
        return status, text


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: f"{mix[0]}-{len(mix[1])}-{len(mix[2])}")
def test_p11_what_was_answered_is_kept_and_never_paid_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mix: tuple[str, Sequence[int], Sequence[int]]
) -> None:
    monkeypatch.setattr(backoff, "BASE", 0.02)
    _, answered, refused = mix
    with Partly(mix) as provider:
        bench = provider.bench(tmp_path, settle=0.05)
        try:
            folder = bench.run(bench.spec("openai", ROWS, JOB, retries=0))
            first = [folder.result(n) for n in range(ROWS)]
            assert [first[n].raw_response for n in answered] == [f"answer {n}" for n in answered]
            assert {first[n].error_kind for n in refused} <= {"invalid_prompt"}
            bench.ask(folder, "retry")
            folder = bench.drive(folder.id)
            then = [folder.result(n) for n in range(ROWS)]
        finally:
            bench.close()
    assert [str(one.status) for one in then] == ["completed"] * ROWS
    assert [then[n].raw_response for n in answered] == [f"answer {n}" for n in answered]
    assert max(provider.paid.values()) == 1, provider.paid
    assert set(provider.paid) == {f"r{n}" for n in range(ROWS)}
