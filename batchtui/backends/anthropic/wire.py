"""A prompt in Anthropic's form: what `anthropic` and `chat` with `api = "anthropic"` send, and how they sign it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from batchtui.backends.anthropic.content import message_content, with_documents
from batchtui.backends.anthropic.schema import native_schema
from batchtui.backends.attachments.files import Attached
from batchtui.backends.prompts.citations import cited_schema_instructions
from batchtui.backends.prompts.schema import schema_instructions
from batchtui.backends.prompts.work import CHAT, ChatWork, check_work, endpoint_of, estimate_tokens
from batchtui.model import Json

BASE_URL = "https://api.anthropic.com"
KEY_ENV = "ANTHROPIC_API_KEY"
MAX_TOKENS = 4096
API_VERSION, WITH_SAMPLING = "2026-10-21", "2023-06-01"
"""Read 2026-11-21: the current version, and the one that still takes sampling parameters."""
MESSAGES = "/v1/messages"
_SAMPLING = ("temperature", "top_p", "top_k")
_ROLES = ("user", "assistant", "system")
_NOT_TAKEN = {
    "response_format": "is OpenAI's; give the JSON Schema as schema",
    "seed": "is not taken by Anthropic; leave it out",
    "n": "is not taken by Anthropic; use [sweep] for several answers",
    "logprobs": "is not taken by Anthropic; leave it out",
    "frequency_penalty": "is not taken by Anthropic; leave it out",
    "presence_penalty": "is not taken by Anthropic; leave it out",
}


Auth = Literal["x-api-key", "bearer"]


class MessagesSettings(Protocol):
    """What the tables of both kinds hold. `beta` names features in preview, `max_tokens` is for jobs that name none."""

    base_url: str | None
    model: str | None
    api_version: str
    auth: Auth
    beta: list[str]
    max_tokens: int


def messages_headers(settings: MessagesSettings, key: str | None) -> dict[str, str]:
    """Headers of every call; values may be secret."""
    headers = {"anthropic-version": settings.api_version}
    if key:
        bearer = settings.auth == "bearer"
        headers |= {"Authorization": f"Bearer {key}"} if bearer else {"x-api-key": key}
    if settings.beta:
        headers["anthropic-beta"] = ",".join(settings.beta)
    return headers


@dataclass(frozen=True, slots=True)
class Messages:
    """The Messages API as one backend's table sets it."""

    api_version: str
    model: str | None
    max_tokens: int
    root: str
    """What stands before a path: `v1/` where the base address does not end so."""

    @classmethod
    def of(cls, settings: MessagesSettings) -> Messages:
        root = "" if (settings.base_url or "").rstrip("/").endswith("/v1") else "v1/"
        return cls(settings.api_version, settings.model, settings.max_tokens, root)

    def path(self, rest: str) -> str:
        return f"{self.root}{rest}"

    def body(
        self, work: ChatWork, files: Sequence[Attached] = (), *, native_schema: bool = True
    ) -> dict[str, Json]:
        """The request as it is sent, by itself or as `params` in a batch."""
        body: dict[str, Json] = {**work.body, **work.extra}
        longest, stop = body.pop("max_completion_tokens", None), body.pop("stop", None)
        for name in ("model", "max_tokens", "temperature", "top_p"):
            value = getattr(work, name)
            if value is not None:
                body[name] = value
        if self.model and not body.get("model"):
            body["model"] = self.model
        if body.get("max_tokens") is None:
            body["max_tokens"] = self.max_tokens if longest is None else longest
        stop = stop if work.stop is None else work.stop
        if stop is not None:
            body["stop_sequences"] = [stop] if isinstance(stop, str) else stop
        hoisted, messages = _turns(work, body)
        body["messages"] = with_documents(messages, files, work.citations)
        system = body.get("system") or hoisted if work.system is None else work.system
        if work.schema is not None:
            system = _with_schema(body, work, system, native_schema)
        if system:
            body["system"] = system
        return body

    def check(self, work: ChatWork) -> list[tuple[str, str]]:
        """What is wrong with it, as (key, message)."""
        if work.endpoint is not None and endpoint_of(work) not in (CHAT, MESSAGES):
            return [("endpoint", f"{work.endpoint} is not taken here; leave it out, or give {MESSAGES}")]
        wrong = check_work(msgspec.structs.replace(work, endpoint=None), self.model, (CHAT,))
        given = {**work.body, **work.extra}
        given |= {name: value for name in ("seed", "response_format", *_SAMPLING[:2])
                  if (value := getattr(work, name)) is not None}  # fmt: skip
        wrong += [(key, words) for key, words in _NOT_TAKEN.items() if given.get(key) is not None]
        if self.api_version >= API_VERSION:
            words = (
                f"is not taken under API version {self.api_version}; leave it out, "
                f'or set api_version = "{WITH_SAMPLING}" in the backend\'s table'
            )
            wrong += [(key, words) for key in _SAMPLING if given.get(key) is not None]
        return wrong or _check_roles(work)

    def tokens(self, work: ChatWork) -> tuple[int, int]:
        """Estimated tokens (in, out at most)."""
        body = self.body(work)
        turns = [{"content": body.get("system") or ""}, *body["messages"]]
        return estimate_tokens({"messages": turns, "max_tokens": body["max_tokens"]})


def _turns(work: ChatWork, body: dict[str, Json]) -> tuple[Json, list[Json]]:
    """The system prompt that leads the messages, and the messages without it."""
    if work.messages is None and work.prompt is not None:
        return None, [{"role": "user", "content": work.prompt}]
    given = work.messages if work.messages is not None else body.get("messages")
    turns: list[Json] = list(given) if isinstance(given, list) else []
    first = next((n for n, turn in enumerate(turns) if not _leads(turn)), len(turns))
    leading = [turn.get("content") for turn in turns[:first]]
    texts = all(isinstance(content, str) for content in leading)
    system: Json = (
        "\n\n".join(leading) if texts else [part for content in leading for part in _blocks(content)]
    )
    rest = [
        {**turn, "content": message_content(turn.get("content"))} if isinstance(turn, dict) else turn
        for turn in turns[first:]
    ]
    return system or None, rest


def _leads(turn: Json) -> bool:
    return isinstance(turn, dict) and turn.get("role") in ("system", "developer")


def _blocks(content: Json) -> list[Json]:
    return content if isinstance(content, list) else [{"type": "text", "text": str(content or "")}]


def _with_schema(body: dict[str, Json], work: ChatWork, system: Json, natively: bool) -> Json:
    """Asks for an answer that fits the schema: in `body` where Anthropic takes it so, else by the system prompt.

    Citations and structured output exclude each other there.
    """
    assert work.schema is not None
    native = native_schema(work.schema) if natively and not work.citations else None
    if native is not None:
        others = body.get("output_config")
        format_ = {"type": "json_schema", "schema": native}
        body["output_config"] = {**(others if isinstance(others, dict) else {}), "format": format_}
        return system
    words = (cited_schema_instructions if work.citations else schema_instructions)(work.schema)
    if isinstance(system, list):
        return [*system, {"type": "text", "text": words}]
    return f"{system}\n\n{words}" if system else words


def _check_roles(work: ChatWork) -> list[tuple[str, str]]:
    key = "messages" if work.messages is not None else "body.messages"
    turns = work.messages if work.messages is not None else work.body.get("messages")
    if work.prompt is not None or not isinstance(turns, list):
        return []
    places = [n for n, turn in enumerate(turns) if not _leads(turn)]
    if not places:
        return [(key, "there is no message of the user among them")]
    for place in places:
        if turns[place].get("role") not in _ROLES:
            return [(f"{key}[{place}].role", f"expected one of {', '.join(_ROLES)}")]
    return []
