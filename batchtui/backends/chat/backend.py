"""Kind `chat`: requests one by one to anything that speaks OpenAI's endpoints, local servers included, or Anthropic's
messages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Literal
from urllib.parse import quote, urlsplit

from batchtui.backends.answers.openai import outcome_of
from batchtui.backends.answers.replied import read_reply
from batchtui.backends.anthropic.answers import message_outcome
from batchtui.backends.anthropic.wire import (
    API_VERSION,
    BASE_URL,
    MAX_TOKENS,
    Auth,
    Messages,
    messages_headers,
)
from batchtui.backends.attachments.rules import ANTHROPIC, FileRules
from batchtui.backends.base import (
    BackendSettings,
    Direct,
    Job,
    KindLimits,
    NeedsPerson,
    Note,
    Probe,
    Refused,
    Setup,
    Transient,
    TryLater,
)
from batchtui.backends.chat.card import CARD
from batchtui.backends.prompts.kind import PROBE_TIMEOUT, Prompts, PromptSettings
from batchtui.backends.prompts.work import CHAT, ENDPOINTS, RESPONSES, ChatWork, endpoint_of
from batchtui.backends.wire.replies import Reply
from batchtui.model import Json, Outcome

CLIENT_ID_LIMIT = 512
_VERSION = "v1/"
_HAS_VERSION = re.compile(r"/v\d+\w*(?:/|$)")
"""Whether the path of an address says where the endpoints are; one without is tried as it is, then with /v1."""
_LARGE = 1_000_000
_MAY_STREAM = (CHAT, RESPONSES, "/v1/completions")
OLLAMA = "http://127.0.0.1:11434/v1"


class ChatSettings(PromptSettings, kw_only=True):
    """A chat server; the last four are as in a table of kind `anthropic`, and for its API alone."""

    api: Literal["openai", "anthropic"] = "openai"
    """What the server speaks."""
    base_url: str | None = OLLAMA
    """The default is where Ollama listens, or Anthropic's own address."""
    native_schema: bool = True
    """`false` for a server without structured output: a schema then goes by prompt."""
    api_version: str = API_VERSION
    """Of Anthropic's API."""
    auth: Auth = "x-api-key"
    """How the key goes, at Anthropic's API."""
    beta: list[str] = []
    """Features in preview, at Anthropic's API."""
    max_tokens: int = MAX_TOKENS
    """Of jobs that name none, at Anthropic's API."""

    def __post_init__(self) -> None:
        if self.api == "anthropic" and self.base_url == OLLAMA:
            self.base_url = BASE_URL


class ChatBackend(Prompts, Direct[ChatWork]):
    """One request at a time, in real time; at least once, since no provider takes a repeated one for the same."""

    card = CARD
    Settings = ChatSettings
    native_schema = True
    endpoints = ENDPOINTS
    defaults = KindLimits(concurrency=5, timeout=600.0, retries=3)

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        assert isinstance(setup.settings, ChatSettings)
        self._messages = Messages.of(setup.settings) if setup.settings.api == "anthropic" else None
        if self._messages:
            self.models_path = self._messages.path("models")
        versioned = _HAS_VERSION.search(urlsplit(setup.settings.base_url or "").path)
        self._root = "" if versioned else None
        """What stands between the base address and an endpoint; None: not known yet."""

    @classmethod
    def request_headers(cls, settings: BackendSettings, key: str | None) -> dict[str, str]:
        if isinstance(settings, ChatSettings) and settings.api == "anthropic":
            return messages_headers(settings, key)
        return super().request_headers(settings, key)

    def file_rules(self) -> FileRules | None:
        return ANTHROPIC if self._messages else super().file_rules()

    def body(self, job: Job[ChatWork]) -> dict[str, Json]:
        if self._messages is not None:
            body = self._messages.body(job.work, job.files, native_schema=self.takes_schema(job))
        else:
            body = super().body(job)
        if self._messages is not None or endpoint_of(job.work) in _MAY_STREAM:
            body["stream"] = False  # some servers stream unless they are told
        return body

    def check(self, job: Job[ChatWork]) -> list[tuple[str, str]]:
        return self._messages.check(job.work) if self._messages else super().check(job)

    def left_out(self, job: Job[ChatWork]) -> list[tuple[str, str]]:
        return self._messages.left_out(job.work) if self._messages else super().left_out(job)

    def tokens(self, job: Job[ChatWork]) -> tuple[int, int]:
        return self._messages.tokens(job.work) if self._messages else super().tokens(job)

    def takes_schema(self, job: Job[ChatWork]) -> bool:
        assert isinstance(self.setup.settings, ChatSettings)
        return self.setup.settings.native_schema

    async def run(self, job: Job[ChatWork], note: Note) -> Outcome:
        body, headers = self.body(job), {"X-Client-Request-Id": client_id(job)}
        if self._messages:
            path = self._messages.path("messages")
            return await self._read(await self._post(path, body, headers), message_outcome)
        path = endpoint_of(job.work).removeprefix("/v1/")
        reply = await self._post(f"{self._root or ''}{path}", body, headers)
        if self._root is None and reply.status in (404, 405):  # nobody was there to do it
            below = await self._post(f"{_VERSION}{path}", body, headers)
            if below.status not in (404, 405):
                reply = below
                self._stands_at(_VERSION)
        elif self._root is None and reply.status < 300:
            self._stands_at("")
        return await self._read(reply, outcome_of)

    def _stands_at(self, root: str) -> None:
        self._root, self.models_path = root, f"{root}models"

    async def _read(self, reply: Reply, read: Callable[[Json], Outcome]) -> Outcome:
        secrets = [self.setup.key.reveal()] if self.setup.key else []
        if len(reply.text) < _LARGE:
            return read_reply(reply, read, secrets)
        return await asyncio.to_thread(read_reply, reply, read, secrets)  # many pieces take seconds

    async def _post(self, path: str, body: dict[str, Json], headers: dict[str, str]) -> Reply:
        return await self.http.request_json("POST", path, json=body, headers=headers)

    async def probe(self) -> Probe:
        if self._root is None and self._messages is None:
            with suppress(Refused, TryLater, Transient, NeedsPerson):
                listed = await self.http.request_json("GET", f"{_VERSION}models", timeout=PROBE_TIMEOUT)
                if listed.status < 300 and listed.problem is None:
                    self.models_path = f"{_VERSION}models"
        return await super().probe()


def client_id(job: Job[ChatWork]) -> str:
    """Marks the attempt in the provider's own records; ASCII, whatever the job's id holds."""
    return f"{job.token}/{quote(job.id, safe='', errors='surrogatepass')}"[:CLIENT_ID_LIMIT]
