"""A prompt in Anthropic's form: what `anthropic` and `chat` with `api = "anthropic"` send, and how they sign it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from batchtui.backends.anthropic.content import with_documents
from batchtui.backends.anthropic.schema import native_schema
from batchtui.backends.anthropic.turns import leads, turns_of, with_tools
from batchtui.backends.attachments.files import Attached
from batchtui.backends.prompts.citations import cited_schema_instructions
from batchtui.backends.prompts.fields import ADVICE, ANTHROPIC, foreign, without_silent
from batchtui.backends.prompts.forms.unfit import Unfit
from batchtui.backends.prompts.schema import schema_instructions
from batchtui.backends.prompts.work import CHAT, ChatWork, check_work, endpoint_of, estimate_tokens
from batchtui.model import Json

BASE_URL = "https://api.anthropic.com"
MAX_TOKENS = 4096
API_VERSION, WITH_SAMPLING = "2026-10-21", "2023-06-01"
"""Read 2026-11-21: the current version, and the one that still takes sampling parameters."""
MESSAGES = "/v1/messages"
_SAMPLING = ("temperature", "top_p", "top_k")
_ROLES = ("user", "assistant", "system", "tool", "function")
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_NOT_TAKEN = {
    "response_format": "is OpenAI's (give the JSON Schema as schema)",
    "n": "is not taken by Anthropic ([sweep] asks for several answers)",
    "reasoning_effort": f"is one of {', '.join(_EFFORTS)} at Anthropic",
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
        """The request as it is sent, by itself or as `params` in a batch. Raises Unfit."""
        body = self.built(work, files, native_schema=native_schema)
        gone = self.not_taken(body) if work.drop_unsupported else {}
        return without_silent({name: value for name, value in body.items() if name not in gone}, ANTHROPIC)

    def built(
        self, work: ChatWork, files: Sequence[Attached] = (), *, native_schema: bool = True
    ) -> dict[str, Json]:
        """The request with all that was asked for, taken there or not. Raises Unfit."""
        body: dict[str, Json] = {**work.body, **work.extra}
        body.pop("anthropic_version", None)  # of Bedrock's and Vertex AI's files: a header here
        longest, stop = body.pop("max_completion_tokens", None), body.pop("stop", None)
        for name in ("model", "max_tokens", "temperature", "top_p", "seed", "response_format"):
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
        schema = work.schema if work.schema is not None else _schema_of(body)
        if schema is not None:
            system = _with_schema(body, schema, work.citations, system, native_schema)
        if system:
            body["system"] = system
        return with_tools(_with_own_names(body))

    def check(self, work: ChatWork) -> list[tuple[str, str]]:
        """What is wrong with it, as (key, message)."""
        if work.endpoint is not None and endpoint_of(work) not in (CHAT, MESSAGES):
            return [("endpoint", f"{work.endpoint} is not taken here; leave it out, or give {MESSAGES}")]
        wrong = check_work(msgspec.structs.replace(work, endpoint=None), self.model, (CHAT,))
        wrong = wrong or _check_roles(work)
        if wrong:
            return wrong
        try:
            body = self.built(work)
        except Unfit as fault:
            return [(fault.place, fault.message)]
        if work.drop_unsupported:
            return []
        return [(name, words + ADVICE) for name, words in self.not_taken(body).items()]

    def not_taken(self, body: dict[str, Json]) -> dict[str, str]:
        """Fields of what was built that Anthropic, or this version of its API, does not take, and the words for it."""
        told = foreign(body, ANTHROPIC, "Anthropic")
        told |= {name: words for name, words in _NOT_TAKEN.items() if name in told}
        if body.get("service_tier") not in (None, "auto", "standard_only"):
            told["service_tier"] = "is auto or standard_only at Anthropic"
        if self.api_version >= API_VERSION:
            words = (
                f'is not taken under API version {self.api_version} (api_version = "{WITH_SAMPLING}" '
                "in the backend's table takes it)"
            )
            told |= {name: words for name in _SAMPLING if body.get(name) is not None}
        return told

    def left_out(self, work: ChatWork) -> list[tuple[str, str]]:
        return list(self.not_taken(self.built(work)).items()) if work.drop_unsupported else []

    def tokens(self, work: ChatWork) -> tuple[int, int]:
        """Estimated tokens (in, out at most)."""
        body = self.body(work)
        turns = [{"content": body.get("system") or ""}, *body["messages"]]
        bounds: dict[str, Json] = {key: body[key] for key in ("max_tokens", "thinking") if key in body}
        return estimate_tokens({"messages": turns, **bounds})


def _turns(work: ChatWork, body: dict[str, Json]) -> tuple[Json, list[Json]]:
    """The system prompt that leads the messages, and the messages without it."""
    if work.messages is None and work.prompt is not None:
        return None, [{"role": "user", "content": work.prompt}]
    given = work.messages if work.messages is not None else body.get("messages")
    return turns_of(given if isinstance(given, list) else [])


def _schema_of(body: dict[str, Json]) -> dict[str, Json] | None:
    """The JSON Schema of a `response_format`, which is taken out; one without a schema stays, to be told."""
    asked = body.get("response_format")
    kind = asked.get("type") if isinstance(asked, dict) else None
    inner = asked.get("json_schema") if isinstance(asked, dict) else None
    schema = inner.get("schema") if isinstance(inner, dict) else None
    if kind == "text" or isinstance(schema, dict):
        del body["response_format"]
    return schema if isinstance(schema, dict) else None


def _with_own_names(body: dict[str, Json]) -> dict[str, Json]:
    """Fields of chat completions that have another name here."""
    made = dict(body)
    if made.get("reasoning_effort") in _EFFORTS:
        config = {"effort": made.pop("reasoning_effort"), **(made.get("output_config") or {})}
        made["output_config"] = config
    if isinstance(made.get("user"), str):
        made["metadata"] = {"user_id": made.pop("user")}
    return made


def _with_schema(
    body: dict[str, Json], schema: dict[str, Json], citations: bool, system: Json, natively: bool
) -> Json:
    """Asks for an answer that fits the schema: in `body` where Anthropic takes it so, else by the system prompt.

    Citations and structured output exclude each other there.
    """
    native = native_schema(schema) if natively and not citations else None
    if native is not None:
        others = body.get("output_config")
        format_ = {"type": "json_schema", "schema": native}
        body["output_config"] = {**(others if isinstance(others, dict) else {}), "format": format_}
        return system
    words = (cited_schema_instructions if citations else schema_instructions)(schema)
    if isinstance(system, list):
        return [*system, {"type": "text", "text": words}]
    return f"{system}\n\n{words}" if system else words


def _check_roles(work: ChatWork) -> list[tuple[str, str]]:
    key = "messages" if work.messages is not None else "body.messages"
    turns = work.messages if work.messages is not None else work.body.get("messages")
    if work.prompt is not None or not isinstance(turns, list):
        return []
    places = [n for n, turn in enumerate(turns) if not leads(turn)]
    if not places:
        return [(key, "there is no message of the user among them")]
    for place in places:
        if turns[place].get("role") not in _ROLES:
            return [(f"{key}[{place}].role", f"expected one of {', '.join(_ROLES)}")]
    return []
