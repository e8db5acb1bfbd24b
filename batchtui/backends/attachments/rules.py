"""Which files each provider takes beside a prompt, and how large: data, with its date; a backend's table overrides it.

Figures of 2026-11-21, from the providers' own pages where they give them.
"""

from __future__ import annotations

from dataclasses import dataclass

PNG, JPEG, GIF, WEBP = "image/png", "image/jpeg", "image/gif", "image/webp"


@dataclass(frozen=True, slots=True)
class FileRules:
    """What a provider takes. Text, and the text of a docx, go to everyone as text. None: no limit is known."""

    pdf: bool = False
    images: tuple[str, ...] = ()
    documents: bool = False
    """Whether text is sent as a document of its own, which can be cited, rather than inside the prompt."""
    citations: bool = False
    image_bytes: int | None = None
    """Bytes of one image in base64."""
    pdf_bytes: int | None = None
    """Bytes of one PDF as it lies on disk."""
    request_bytes: int | None = None
    """Bytes of all files of a job as they are sent."""
    pages: int | None = None
    """Pages of all PDFs of a job."""
    pages_small: int | None = None
    """Pages that a model with a short context takes: worth a warning."""
    locked_pdf: bool = True
    """Whether an encrypted PDF is taken."""


OPENAI = FileRules(pdf=True, images=(PNG, JPEG, GIF, WEBP), request_bytes=50_000_000)
IMAGES_ONLY = FileRules(images=(PNG, JPEG, GIF, WEBP))
"""Servers in OpenAI's form that know image parts and no file parts: Groq, Together, DeepInfra."""
ANTHROPIC = FileRules(
    pdf=True,
    images=(PNG, JPEG, GIF, WEBP),
    documents=True,
    citations=True,
    image_bytes=5_000_000,
    request_bytes=32_000_000,
    pages=600,
    pages_small=100,
    locked_pdf=False,
)
GEMINI = FileRules(pdf=True, images=(PNG, JPEG, WEBP), pdf_bytes=50_000_000)
MISTRAL = FileRules(pdf=True, images=(PNG, JPEG, GIF, WEBP))
