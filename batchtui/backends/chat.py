"""Kind `chat`: prompts one by one to anything that speaks OpenAI's chat completions, local servers included, or
Anthropic's messages."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

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
from batchtui.backends.base import BackendSettings, Direct, Job, KindLimits, Note, Setup, Transient
from batchtui.backends.prompts.completion import outcome_of
from batchtui.backends.prompts.kind import Prompts, PromptSettings
from batchtui.backends.prompts.work import CHAT, ChatWork
from batchtui.backends.wire.replies import raise_for
from batchtui.model import Json, Outcome

CLIENT_ID_LIMIT = 512
OLLAMA = "http://127.0.0.1:11434/v1"


class ChatSettings(PromptSettings, kw_only=True):
    """`api` is what the server speaks. The default address is where Ollama listens, or Anthropic's own.

    `native_schema = false` is for servers without structured output: a schema then goes by prompt.
    `api_version`, `auth`, `beta` and `max_tokens` are as in a table of kind `anthropic`, and for its API alone.
    """

    api: Literal["openai", "anthropic"] = "openai"
    base_url: str | None = OLLAMA
    native_schema: bool = True
    api_version: str = API_VERSION
    auth: Auth = "x-api-key"
    beta: list[str] = []
    max_tokens: int = MAX_TOKENS

    def __post_init__(self) -> None:
        if self.api == "anthropic" and self.base_url == OLLAMA:
            self.base_url = BASE_URL


class ChatBackend(Prompts, Direct[ChatWork]):
    """Real-time chat completions; at least once, since no provider takes a repeated request for the same one."""

    kind = "chat"
    summary = (
        "Prompts one by one to any OpenAI-compatible server (OpenAI, Groq, vLLM, Ollama, llama.cpp, LiteLLM), "
        'or to Anthropic (api = "anthropic")'
    )
    Settings = ChatSettings
    native_schema = True
    endpoints = (CHAT,)
    defaults = KindLimits(concurrency=5, timeout=600.0, retries=3)

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        assert isinstance(setup.settings, ChatSettings)
        self._messages = Messages.of(setup.settings) if setup.settings.api == "anthropic" else None
        if self._messages:
            self.models_path = self._messages.path("models")

    @classmethod
    def request_headers(cls, settings: BackendSettings, key: str | None) -> dict[str, str]:
        if isinstance(settings, ChatSettings) and settings.api == "anthropic":
            return messages_headers(settings, key)
        return super().request_headers(settings, key)

    def file_rules(self) -> FileRules | None:
        return ANTHROPIC if self._messages else super().file_rules()

    def body(self, job: Job[ChatWork]) -> dict[str, Json]:
        if self._messages is None:
            return super().body(job)
        return self._messages.body(job.work, job.files, native_schema=self.takes_schema(job))

    def check(self, job: Job[ChatWork]) -> list[tuple[str, str]]:
        return self._messages.check(job.work) if self._messages else super().check(job)

    def tokens(self, job: Job[ChatWork]) -> tuple[int, int]:
        return self._messages.tokens(job.work) if self._messages else super().tokens(job)

    def takes_schema(self, job: Job[ChatWork]) -> bool:
        assert isinstance(self.setup.settings, ChatSettings)
        return self.setup.settings.native_schema

    async def run(self, job: Job[ChatWork], note: Note) -> Outcome:
        path = self._messages.path("messages") if self._messages else "chat/completions"
        reply = await self.http.request_json(
            "POST", path, json=self.body(job), headers={"X-Client-Request-Id": client_id(job)}
        )
        raise_for(reply)
        if reply.problem is not None:
            raise Transient(
                f"the reply ({reply.status}) is {reply.problem}", kind="bad_reply", maybe_done=True
            )
        return message_outcome(reply.json) if self._messages else outcome_of(reply.json)


def client_id(job: Job[ChatWork]) -> str:
    """Marks the attempt in the provider's own records; ASCII, whatever the job's id holds."""
    return f"{job.token}/{quote(job.id, safe='', errors='surrogatepass')}"[:CLIENT_ID_LIMIT]
