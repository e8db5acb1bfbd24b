"""What is known of kind `openai` without importing it."""

from batchtui.catalog.card import Card, Variables
from batchtui.catalog.form import PROMPT

CARD = Card(
    name="openai",
    rank=10,
    backend="batchtui.backends.openai.backend:OpenAIBackend",
    summary="OpenAI's Batch API (Files and Batches), and servers that speak it",
    remote=True,
    works=("prompt",),
    form={"prompt": PROMPT},
    variables=(
        Variables(key="OPENAI_API_KEY", base_url="OPENAI_BASE_URL"),
        Variables(key="GROQ_API_KEY", base_url="GROQ_BASE_URL", dialect="groq"),
        Variables(
            key="AZURE_OPENAI_API_KEY", base_url="AZURE_OPENAI_ENDPOINT", dialect="azure", needs_address=True
        ),
        Variables(key="DEEPINFRA_API_KEY", base_url="DEEPINFRA_BASE_URL", dialect="deepinfra"),
    ),
    maker="openai",
    hosts={
        "api.openai.com": "openai",
        "openai.azure.com": "azure",
        "services.ai.azure.com": "azure",
        "api.groq.com": "groq",
        "api.deepinfra.com": "deepinfra",
    },
    prices_of={"azure": "openai"},
    requests=("openai-batch", "messages"),
    models=("gpt-", "chatgpt-", "o1", "o3", "o4", "text-embedding-", "omni-moderation-", "ft:gpt-"),
)
