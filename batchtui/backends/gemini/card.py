"""What is known of kind `gemini` without importing it."""

from batchtui.catalog.card import Card, Variables
from batchtui.catalog.form import PROMPT

CARD = Card(
    name="gemini",
    rank=30,
    backend="batchtui.backends.gemini.backend:GeminiBackend",
    summary="Google's Gemini API in batches",
    remote=True,
    works=("prompt",),
    form={"prompt": PROMPT},
    variables=(
        Variables(key="GEMINI_API_KEY", first_key="GOOGLE_API_KEY", base_url="GOOGLE_GEMINI_BASE_URL"),
    ),
    maker="google",
    seller="google",
    hosts={"googleapis.com": "google"},
    requests=("gemini-batch",),
    models=("gemini-", "models/gemini-", "gemma-"),
    raw_as_list=True,
)
