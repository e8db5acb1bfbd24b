"""Citations of the demo server: what the official client makes of them, and what is refused."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from batchtui.demo.server import DemoServer
from batchtui.model import Json
from tests.sample_files import pdf

anthropic = pytest.importorskip("anthropic", reason="needs the extra `conformance`")
pytestmark = pytest.mark.conformance

TEXT = "The grass is green. The sky is blue. Water is wet."
CHUNKS = ["First chunk of words.", "Second chunk of words."]


def document(source: Json, *, enabled: bool = True) -> Json:
    return {"type": "document", "source": source, "title": "doc", "citations": {"enabled": enabled}}


def asked(server: DemoServer, *documents: Json) -> Json:
    address = server.backends["anthropic"]["base_url"].removesuffix("/v1")
    client = anthropic.Anthropic(api_key="demo-key", base_url=address, max_retries=0)
    content = [*documents, {"type": "text", "text": "What colour is the sky?"}]
    return client.messages.create(
        model="demo-small", max_tokens=4000, messages=[{"role": "user", "content": content}]
    )


def citations(message: Json) -> list[Json]:
    return [citation for block in message.content for citation in block.citations or []]


def test_the_official_client_reads_all_three_kinds(demo_server: Callable[..., DemoServer]) -> None:
    server = demo_server()
    text = {"type": "text", "media_type": "text/plain", "data": TEXT}
    for found in citations(asked(server, document(text))):
        assert found.type == "char_location"
        assert TEXT[found.start_char_index : found.end_char_index] == found.cited_text
    paper = base64.b64encode(pdf(["page one says this", "page two says that"])).decode()
    pages = citations(
        asked(server, document({"type": "base64", "media_type": "application/pdf", "data": paper}))
    )
    assert {found.type for found in pages} == {"page_location"}
    assert {found.end_page_number - found.start_page_number for found in pages} == {1}
    blocks = citations(
        asked(server, document({"type": "content", "content": [{"type": "text", "text": c} for c in CHUNKS]}))
    )
    assert {found.cited_text for found in blocks} <= set(CHUNKS)
    assert all(CHUNKS[found.start_block_index] == found.cited_text for found in blocks)
    assert blocks[0].document_title == "doc"


def test_the_same_question_is_cited_the_same_way(demo_server: Callable[..., DemoServer]) -> None:
    server = demo_server()
    text = document({"type": "text", "media_type": "text/plain", "data": TEXT})
    first, second = (asked(server, text) for _ in range(2))
    assert first.content == second.content
    assert citations(first)


def test_a_scan_gives_none_and_mixed_documents_are_refused(demo_server: Callable[..., DemoServer]) -> None:
    server = demo_server()
    scan = base64.b64encode(pdf(["", ""])).decode()
    message = asked(server, document({"type": "base64", "media_type": "application/pdf", "data": scan}))
    assert not citations(message)
    text = {"type": "text", "media_type": "text/plain", "data": TEXT}
    with pytest.raises(anthropic.BadRequestError, match="on all documents or on none"):
        asked(server, document(text), document(text, enabled=False))
