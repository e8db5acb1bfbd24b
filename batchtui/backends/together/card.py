"""What is known of kind `together` without importing it."""

from batchtui.catalog.card import Card, Variables
from batchtui.catalog.form import PROMPT

CARD = Card(
    name="together",
    rank=50,
    backend="batchtui.backends.together.backend:TogetherBackend",
    summary="Together's batches",
    remote=True,
    works=("prompt",),
    form={"prompt": PROMPT},
    variables=(Variables(key="TOGETHER_API_KEY", base_url="TOGETHER_BASE_URL"),),
    seller="together",
    hosts={"api.together.ai": "together", "api.together.xyz": "together"},
    queue_tokens={"": 30_000_000_000},  # as of 2026-11-21
    models=("meta-llama/", "Qwen/", "deepseek-ai/", "moonshotai/", "zai-org/"),
)
