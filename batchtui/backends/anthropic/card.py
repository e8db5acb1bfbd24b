"""What is known of kind `anthropic` without importing it."""

from batchtui.catalog.card import Card, Variables
from batchtui.catalog.form import CITATIONS, PROMPT

CARD = Card(
    name="anthropic",
    rank=20,
    backend="batchtui.backends.anthropic.backend:AnthropicBackend",
    summary="Anthropic's Message Batches API",
    remote=True,
    works=("prompt",),
    form={"prompt": (*PROMPT, CITATIONS)},
    variables=(Variables(key="ANTHROPIC_API_KEY", base_url="ANTHROPIC_BASE_URL"),),
    maker="anthropic",
    seller="anthropic",
    hosts={"api.anthropic.com": "anthropic"},
    requests=("anthropic-batch",),
    models=("claude-",),
    raw_as_list=True,
)
