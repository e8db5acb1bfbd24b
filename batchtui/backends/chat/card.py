"""What is known of kind `chat` without importing it."""

from batchtui.catalog.card import Card, Variables
from batchtui.catalog.form import PROMPT

CARD = Card(
    name="chat",
    rank=60,
    backend="batchtui.backends.chat.backend:ChatBackend",
    summary="Prompts one by one to any OpenAI-compatible server (OpenAI, Groq, vLLM, Ollama, llama.cpp, LiteLLM), "
    'or to Anthropic (api = "anthropic")',
    remote=False,
    works=("prompt",),
    form={"prompt": PROMPT},
    variables=(
        Variables(key="OPENAI_API_KEY", base_url="OPENAI_BASE_URL", address="https://api.openai.com/v1"),
    ),
    own_server="http://127.0.0.1:11434/v1",
    sells_itself=True,
)
