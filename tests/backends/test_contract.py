"""Every built-in kind that has a demo server passes the tests that a package's kind is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from batchtui.demo.server import DemoServer
from batchtui.testing import DirectKind, RemoteKind
from tests.daly_help import energy_model

PROMPT = {"model": "demo-small", "prompt": "hi", "max_tokens": 20}


class _OverTheDemo:
    kind = ""

    @contextmanager
    def server(self) -> Iterator[str]:
        with DemoServer() as demo:
            yield str(demo.backends[self.kind]["base_url"])


class TestOpenai(_OverTheDemo, RemoteKind):
    kind = "openai"
    work = PROMPT
    wrong = {"temperature": "warm"}
    creates = r"POST .*/v1/batches$"
    reads = r"GET .*/v1/files/[^/]+/content"


class TestTogether(_OverTheDemo, RemoteKind):
    kind = "together"
    work = PROMPT
    wrong = {"temperature": "warm"}
    creates = r"POST .*/v1/batches$"
    reads = r"GET .*/v1/files/[^/]+/content"


class TestMistral(_OverTheDemo, RemoteKind):
    kind = "mistral"
    work = PROMPT
    wrong = {"temperature": "warm"}
    creates = r"POST .*/v1/batch/jobs$"
    reads = r"GET .*/v1/files/[^/]+/content"


class TestAnthropic(_OverTheDemo, RemoteKind):
    kind = "anthropic"
    work = PROMPT
    wrong = {"temperature": "warm"}
    creates = r"POST .*/v1/messages/batches$"
    reads = r"GET .*/v1/messages/batches/[^/]+/results"


class TestGemini(_OverTheDemo, RemoteKind):
    kind = "gemini"
    work = PROMPT
    wrong = {"temperature": "warm"}
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


class TestChat(_OverTheDemo, DirectKind):
    kind = "chat"
    work = PROMPT
    wrong = {"temperature": "warm"}
    asks = r"POST .*/v1/chat/completions$"
