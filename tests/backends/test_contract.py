"""Every built-in kind that has a demo server passes the tests that a package's kind is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from batchtui.demo.server import DemoServer
from batchtui.testing import DirectKind, RemoteKind
from tests.daly_help import energy_model


class _OverTheDemo:
    kind = ""

    @contextmanager
    def server(self) -> Iterator[str]:
        with DemoServer() as demo:
            yield str(demo.backends[self.kind]["base_url"])


class _OfPrompts(_OverTheDemo):
    work = {"model": "demo-small", "prompt": "hi", "max_tokens": 20}
    wrong = {"temperature": "warm"}


class TestOpenai(_OfPrompts, RemoteKind):
    kind = "openai"
    creates = r"POST .*/v1/batches$"
    reads = r"GET .*/v1/files/[^/]+/content"


class TestTogether(_OfPrompts, RemoteKind):
    kind = "together"
    creates = r"POST .*/v1/batches$"
    reads = r"GET .*/v1/files/[^/]+/content"


class TestMistral(_OfPrompts, RemoteKind):
    kind = "mistral"
    creates = r"POST .*/v1/batch/jobs$"
    reads = r"GET .*/v1/files/[^/]+/content"


class TestAnthropic(_OfPrompts, RemoteKind):
    kind = "anthropic"
    creates = r"POST .*/v1/messages/batches$"
    reads = r"GET .*/v1/messages/batches/[^/]+/results"


class TestGemini(_OfPrompts, RemoteKind):
    kind = "gemini"
    creates = r"POST .*:batchGenerateContent"
    reads = r"GET .*:download"


class TestDaly(_OverTheDemo, RemoteKind):
    kind = "daly"
    key = None
    work = {"input": energy_model(), "name": "site"}
    wrong = {"input": {"blocks": []}}
    creates = r"POST .*/energymodels\?async"
    reads = r"GET .*/energymodels/\d+$"
    jobs = 1

    def is_same(self, listed: str, remote_id: str) -> bool:
        return remote_id.split(":")[0] == listed.split(":")[0]

    @pytest.fixture(autouse=True)
    def keys(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DALY_WORKSPACE_KEY", "wk_demo_4711")
        monkeypatch.setenv("DALY_USER_KEY", "uk_demo_4712")


class TestButtermilk(_OverTheDemo, RemoteKind):
    kind = "buttermilk"
    key = None
    work = {"flow": "good"}
    wrong = {"error_policy": "perhaps"}
    creates = r"POST .*/api/batches$"
    reads = r"GET .*/api/batches/[^/]+/jobs/"
    jobs = 1


class TestChat(_OfPrompts, DirectKind):
    kind = "chat"
    asks = r"POST .*/v1/chat/completions$"
