"""Kind `chat`: prompts one by one to anything that speaks OpenAI's chat completions, local servers included."""

from __future__ import annotations

from urllib.parse import quote

from batchtui.backends.base import Direct, Job, KindLimits, Note, Transient
from batchtui.backends.completion import outcome_of
from batchtui.backends.prompts import Prompts, PromptSettings
from batchtui.backends.replies import raise_for
from batchtui.backends.wire import CHAT, ChatWork
from batchtui.model import Outcome

CLIENT_ID_LIMIT = 512


class ChatSettings(PromptSettings, kw_only=True):
    """The default address is where Ollama listens."""

    base_url: str | None = "http://127.0.0.1:11434/v1"


class ChatBackend(Prompts, Direct[ChatWork]):
    """Real-time chat completions; at least once, since no provider takes a repeated request for the same one."""

    kind = "chat"
    summary = (
        "Prompts one by one to any OpenAI-compatible server (OpenAI, Groq, vLLM, Ollama, llama.cpp, LiteLLM)"
    )
    Settings = ChatSettings
    endpoints = (CHAT,)
    defaults = KindLimits(concurrency=5, timeout=600.0, retries=3)

    async def run(self, job: Job[ChatWork], note: Note) -> Outcome:
        reply = await self.http.request_json(
            "POST", "chat/completions", json=self.body(job), headers={"X-Client-Request-Id": client_id(job)}
        )
        raise_for(reply)
        if reply.problem is not None:
            raise Transient(
                f"the reply ({reply.status}) is {reply.problem}", kind="bad_reply", maybe_done=True
            )
        return outcome_of(reply.json)


def client_id(job: Job[ChatWork]) -> str:
    """Marks the attempt in the provider's own records; ASCII, whatever the job's id holds."""
    return f"{job.token}/{quote(job.id, safe='', errors='surrogatepass')}"[:CLIENT_ID_LIMIT]
