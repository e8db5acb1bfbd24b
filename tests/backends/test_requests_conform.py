"""A feature for each file, for each backend: what is sent fits the types of the providers' own clients, deeply."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.backends.jobs_help import job
from tests.backends.requests_help import FILES, leaves, rendered
from tests.backends.test_request_forms import (
    ANTHROPIC_BODY,
    FILE,
    IMAGE,
    INLINE,
    SWEPT,
    TOOLS,
    TURNS,
    backend,
    parts,
)

NEEDS = "needs the extra `conformance`"
pydantic = pytest.importorskip("pydantic", reason=NEEDS)
pytest.importorskip("openai", reason=NEEDS)
pytest.importorskip("anthropic", reason=NEEDS)
pytest.importorskip("google.genai", reason=NEEDS)
pytest.importorskip("mistralai.client", reason=NEEDS)
pytest.importorskip("together", reason=NEEDS)
pytestmark = pytest.mark.conformance

REFUSED = {
    "cite.chat": "citations", "cite.gemini": "citations", "cite.mistral": "citations", "cite.openai": "citations",
    "cite.together": "citations", "citeschema.chat": "citations", "citeschema.gemini": "citations",
    "citeschema.mistral": "citations", "citeschema.openai": "citations", "citeschema.together": "citations",
    "embedG.gemini": "endpoint", "images.openai": "endpoint", "pdf.together": "file",
    "reason.mistral": "reasoning_effort", "sampling.anthropic": "seed", "sampling.anthropic-chat": "seed",
}  # fmt: skip
"""Files that are refused before sending, and the key that is named."""


@cache
def strict(of: Any) -> Any:
    """The type in a list, since a table of a client's own types takes no other rules than its own."""
    return pydantic.TypeAdapter(list[of], config=pydantic.ConfigDict(extra="forbid"))


def holds(of: Any, value: Any) -> None:
    list(leaves(strict(of).validate_python([value])))


def openai_of(endpoint: str) -> Any:
    from openai.types import EmbeddingCreateParams, ModerationCreateParams
    from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
    from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming

    return {
        "/v1/chat/completions": CompletionCreateParamsNonStreaming,
        "/v1/responses": ResponseCreateParamsNonStreaming,
        "/v1/embeddings": EmbeddingCreateParams,
        "/v1/moderations": ModerationCreateParams,
    }[endpoint]


def check_openai(body: Any, endpoint: str) -> None:
    holds(openai_of(endpoint), body)


def check_anthropic(body: Any, endpoint: str) -> None:
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

    holds(MessageCreateParamsNonStreaming, body)


def check_gemini(body: Any, endpoint: str) -> None:
    from google.genai import types

    known = {
        "contents": list[types.Content],
        "systemInstruction": types.Content,
        "generationConfig": types.GenerationConfig,
        "tools": list[types.Tool],
        "toolConfig": types.ToolConfig,
        "safetySettings": list[types.SafetySetting],
        "serviceTier": types.ServiceTier,
        "labels": dict[str, str],
        "cachedContent": str,
        "store": bool,
    }
    assert body.keys() <= known.keys()
    for name, value in body.items():
        pydantic.TypeAdapter(known[name]).validate_python(value)


def check_mistral(body: Any, endpoint: str) -> None:
    from mistralai.client import models

    of = {
        "/v1/chat/completions": models.ChatCompletionRequest,
        "/v1/embeddings": models.EmbeddingRequest,
        "/v1/moderations": models.ClassificationRequest,
        "/v1/ocr": models.OCRRequest,
    }[endpoint]
    of.model_validate(body)
    named = {field.alias or name for name, field in of.model_fields.items()}
    assert body.keys() <= named


def check_together(body: Any, endpoint: str) -> None:
    from together.types.chat.completion_create_params import CompletionCreateParamsNonStreaming

    holds(CompletionCreateParamsNonStreaming, body)


CHECKS: dict[str, Callable[[Any, str], None]] = {
    "openai": check_openai,
    "chat": check_openai,
    "anthropic": check_anthropic,
    "anthropic-chat": check_anthropic,
    "gemini": check_gemini,
    "mistral": check_mistral,
    "together": check_together,
}


@pytest.mark.parametrize("name", FILES)
def test_a_request_fits_the_types_of_its_provider(name: str, tmp_path: Path) -> None:
    found = rendered(name, tmp_path)
    if word := REFUSED.get(name.removesuffix(".toml")):
        assert found.refused
        assert any(word in words for words in found.refused)
        return
    assert found.refused == []
    assert len(found.bodies) == 3
    for body in found.bodies:
        CHECKS[found.backend](body, found.endpoint)


KINDS = ("openai", "anthropic", "gemini", "mistral", "together")
LOOKED_AT = [*TURNS[:5], *parts({"type": "text", "text": "and this?"}, IMAGE, INLINE)]


@pytest.mark.parametrize(
    ("work", "kinds"),
    [
        ({"messages": TURNS, "extra": {"tools": TOOLS, "tool_choice": "required"}}, KINDS),
        ({"messages": LOOKED_AT, "extra": {"tools": TOOLS, "parallel_tool_calls": False}}, KINDS),
        ({"messages": parts(FILE)}, ("openai", "anthropic", "gemini", "mistral")),
        ({"body": ANTHROPIC_BODY}, KINDS),
        (SWEPT, KINDS),
    ],
)
def test_one_job_fits_every_provider(work: dict[str, Any], kinds: tuple[str, ...]) -> None:
    for kind in kinds:
        built = backend(kind)
        asked = job(**work, drop_unsupported=True)
        assert built.check(asked) == []
        CHECKS[kind](built.body(asked), "/v1/chat/completions")
    if "body" not in work:
        asked = job(**work, endpoint="/v1/responses", drop_unsupported=True)
        check_openai(backend("openai").body(asked), "/v1/responses")


@pytest.mark.parametrize(
    ("kind", "endpoint", "body"),
    [
        ("openai", "/v1/responses", {"model": "m", "input": parts({"type": "text", "text": "x"})}),
        (
            "openai",
            "/v1/chat/completions",
            {"model": "m", "messages": parts({"type": "input_text", "text": "x"})},
        ),
        ("anthropic", "", {"model": "m", "max_tokens": 9, "messages": parts(IMAGE)}),
        (
            "anthropic",
            "",
            {"model": "m", "max_tokens": 9, "messages": parts({"type": "text", "text": "x"}), "seed": 1},
        ),
        ("gemini", "", {"contents": [{"parts": [{"text": "x"}]}], "tools": TOOLS}),
        ("mistral", "/v1/chat/completions", {"model": "m", "messages": parts(IMAGE), "seed": 1}),
    ],
)
def test_these_checks_see_a_foreign_form(kind: str, endpoint: str, body: dict[str, Any]) -> None:
    with pytest.raises((pydantic.ValidationError, AssertionError)):
        CHECKS[kind](body, endpoint)
