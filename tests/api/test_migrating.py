"""Names that scripts for batchata use, where they expect them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from batchtui import Batch, Citation, JobResult
from batchtui.demo.server import DemoServer
from tests.api.conftest import Place


def test_jobs_are_told_with_their_defaults() -> None:
    batch = (
        Batch("x").set_default_params(model="m").add_job(prompt="a").add_job(prompt="b", id="two", name="Two")
    )
    assert batch.jobs == [{"id": "1", "prompt": "a", "model": "m"},
                          {"id": "two", "name": "Two", "prompt": "b", "model": "m"}]  # fmt: skip


def test_a_run_is_told_as_json_and_needs_no_shutdown(
    place: Place, with_demo: Callable[..., DemoServer]
) -> None:
    with_demo("duration=100ms")
    run = Batch("x", backend="openai", **place.home).add_job(prompt="Hello", model="demo-small").run()
    run.shutdown()
    told = json.loads(json.dumps(run.to_json()))
    assert (told["name"], told["completed"], told["total"]) == ("x", 1, 1)


def test_a_citation_has_its_keys_as_attributes() -> None:
    one = {"text": "12.50", "source": "a.txt", "page": 3, "metadata": {}}
    result = JobResult.from_dict({"job_id": "1", "citations": [one], "citation_mappings": {"total": [one]}})
    assert result.citations is not None
    (citation,) = result.citations
    assert isinstance(citation, Citation)
    assert (citation.text, citation.source, citation.page, citation["text"]) == ("12.50", "a.txt", 3, "12.50")
    assert result.citation_mappings["total"][0].text == "12.50"
    assert json.loads(json.dumps(result.to_dict()))["citations"] == [one]
    with pytest.raises(AttributeError, match="has no 'pages'; it has text, source, page, metadata"):
        _ = citation.pages
