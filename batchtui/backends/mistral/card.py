"""What is known of kind `mistral` without importing it."""

from batchtui.catalog.card import Card, Variables
from batchtui.catalog.form import PROMPT

CARD = Card(
    name="mistral",
    rank=40,
    backend="batchtui.backends.mistral.backend:MistralBackend",
    summary="Mistral's batch jobs",
    remote=True,
    works=("prompt",),
    form={"prompt": PROMPT},
    variables=(Variables(key="MISTRAL_API_KEY", base_url="MISTRAL_BASE_URL"),),
    maker="mistral",
    seller="mistral",
    hosts={"api.mistral.ai": "mistral"},
    models=(
        "mistral-", "ministral-", "magistral-", "codestral-", "devstral-", "pixtral-", "voxtral-",
        "open-mistral-", "open-mixtral-",
    ),
)  # fmt: skip
