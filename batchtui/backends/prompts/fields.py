"""Which fields a request may have at whom: data, by the providers' own descriptions as read on 2026-11-28.

A field that some provider has and this one has not is told before sending; one that nobody here knows is let through,
since it may be newer than this list.
"""

from __future__ import annotations

from batchtui.model import Json

OPENAI_CHAT = frozenset(
    """audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages
    metadata modalities model moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key
    prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier
    stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity
    web_search_options""".split()  # noqa: SIM905
)
OPENAI_RESPONSES = frozenset(
    """background context_management conversation include input instructions max_output_tokens max_tool_calls metadata
    model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options
    prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options temperature text
    tool_choice tools top_logprobs top_p truncation user""".split()  # noqa: SIM905
)
ANTHROPIC = frozenset(
    """cache_control container context_management inference_geo max_tokens mcp_servers messages metadata model
    output_config service_tier speed stop_sequences stream system temperature thinking tool_choice tools top_k
    top_p""".split()  # noqa: SIM905
)
MISTRAL_CHAT = frozenset(
    """frequency_penalty guardrails max_tokens messages metadata model n parallel_tool_calls prediction
    presence_penalty prompt_cache_key prompt_mode random_seed reasoning_effort response_format safe_prompt stop stream
    temperature tool_choice tools top_p""".split()  # noqa: SIM905
)
TOGETHER_CHAT = frozenset(
    """chat_template_kwargs compliance context_length_exceeded_behavior echo frequency_penalty function_call logit_bias
    logprobs max_tokens messages min_p model n presence_penalty reasoning reasoning_effort repetition_penalty
    response_format safety_model seed stop stream temperature tool_choice tools top_k top_p""".split()  # noqa: SIM905
)
GEMINI = frozenset(
    """cachedContent contents generationConfig labels model safetySettings serviceTier store systemInstruction
    toolConfig tools""".split()  # noqa: SIM905
)
ANYWHERE = OPENAI_CHAT | OPENAI_RESPONSES | ANTHROPIC | MISTRAL_CHAT | TOGETHER_CHAT | GEMINI


_DEFAULTS: dict[str, Json] = {
    "n": 1, "frequency_penalty": 0, "presence_penalty": 0, "logprobs": False, "parallel_tool_calls": True,
    "store": False, "stream": False, "service_tier": "auto", "logit_bias": {}, "modalities": ["text"],
}  # fmt: skip
"""What a field asks for that holds without it, everywhere."""


def foreign(body: dict[str, Json], own: frozenset[str], who: str) -> dict[str, str]:
    """Of the fields of a request those that others have and `who` has not, with words on it."""
    return {name: f"is not taken by {who}" for name in without_silent(body, own) if _is_foreign(name, own)}


def without_silent(body: dict[str, Json], own: frozenset[str]) -> dict[str, Json]:
    """The request without foreign fields that ask for nothing: null, or what holds in any case."""
    return {
        name: value
        for name, value in body.items()
        if not _is_foreign(name, own) or not (value is None or value == _DEFAULTS.get(name))
    }


def _is_foreign(name: str, own: frozenset[str]) -> bool:
    return name in ANYWHERE and name not in own


ADVICE = "; leave it out, or set drop_unsupported = true"
