"""The kinds of this package pass what every kind must: run by pytest, nothing else is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from wordqueue_server import running

from batchtui.testing import DirectKind, RemoteKind


class TestWordQueue(RemoteKind):
    kind = "wordqueue"
    work = {"text": "three small words"}
    wrong = {"text": " "}
    creates = r"POST /batches$"
    reads = r"GET /batches/[^/]+/results$"

    @contextmanager
    def server(self) -> Iterator[str]:
        with running() as address:
            yield address


class TestWordCount(DirectKind):
    kind = "wordcount"
    key = None
    work = {"text": "three small words"}
    wrong = {"text": " "}

    @contextmanager
    def server(self) -> Iterator[str]:
        with running() as address:  # which it never asks
            yield address
