"""Batch files of the large services are known by their rows, and files of their answers are told apart from them."""

from __future__ import annotations

import json

import pytest

from batchtui.model import Json
from batchtui.sources.templates.template import compile_template, render_id
from tests.sources.source_help import Write, rows_of

CONTENTS = [{"role": "user", "parts": [{"text": "x"}]}]
MESSAGES = [{"role": "user", "content": "x"}]


def lines(*rows: Json) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("native", "row", "body", "job_id"),
    [
        ("gemini-batch", {"key": "g", "request": {"contents": CONTENTS}}, {"contents": CONTENTS}, "g"),
        ("gemini-batch", {"request": {"contents": CONTENTS}}, {"contents": CONTENTS}, "1"),
        (
            "gemini-batch",
            {"request": {"contents": CONTENTS}, "metadata": {"key": "in a create"}},
            {"contents": CONTENTS},
            "in a create",
        ),
        (
            "gemini-batch",
            {"custom_id": "v", "request": {"anthropic_version": "vertex-2023-10-16", "messages": MESSAGES}},
            {"anthropic_version": "vertex-2023-10-16", "messages": MESSAGES},
            "v",
        ),
        (
            "bedrock-batch",
            {"recordId": "CALL0001", "modelInput": {"messages": MESSAGES, "max_tokens": 9}},
            {"messages": MESSAGES, "max_tokens": 9},
            "CALL0001",
        ),
        (
            "anthropic-batch",
            {"custom_id": "a", "params": {"messages": MESSAGES}},
            {"messages": MESSAGES},
            "a",
        ),
        ("openai-batch", {"custom_id": "m", "body": {"messages": MESSAGES}}, {"messages": MESSAGES}, "m"),
    ],
)
def test_requests_of_a_service(source: Write, native: str, row: Json, body: Json, job_id: str) -> None:
    opened = source("batch.jsonl", lines(row, row))
    assert opened.native == native
    found = rows_of(opened)[0]
    assert compile_template(opened.default_job, where="job").render(found.values) == {"body": body}
    own = compile_template(opened.own_id, where="id") if opened.own_id else None
    assert render_id(own, found, opened.id_column) == job_id


def test_requests_inside_a_document(source: Write) -> None:
    content = {"requests": [{"request": {"contents": CONTENTS}, "metadata": {"key": "k"}}]}
    assert source("batch.json", json.dumps(content)).native == "gemini-batch"


@pytest.mark.parametrize(
    "row",
    [
        {"id": "b", "custom_id": "a", "response": {"status_code": 200, "body": {}}, "error": None},
        {"custom_id": "a", "response": None, "error": {"message": "no"}},
        {"custom_id": "a", "result": {"type": "succeeded", "message": {}}},
        {"key": "a", "response": {"candidates": []}},
        {"key": "a", "error": {"code": 3, "message": "no"}},
        {"status": "", "request": {"contents": CONTENTS}, "response": {"candidates": []}},
        {"recordId": "a", "modelInput": {"messages": MESSAGES}, "modelOutput": {"content": []}},
    ],
)
def test_answers_are_no_requests(source: Write, row: Json) -> None:
    opened = source("output.jsonl", lines(row))
    assert opened.native == "results"
    assert opened.default_job == {}
    assert opened.implied.no_jobs is not None
    assert "answers of" in str(opened.implied.no_jobs)
    assert len(rows_of(opened)) == 1, "a prompt may still ask about them"


@pytest.mark.parametrize(
    "row",
    [
        {"key": "a", "request": "please call back"},
        {"key": "a", "request": {"from": "me"}},
        {"id": "a", "response": "yes", "rating": 3},
        {"recordId": 5, "modelInput": "text", "price": 3},
        {"custom_id": "a", "response": "yes", "question": "?"},
    ],
)
def test_tables_with_such_names_stay_tables(source: Write, row: Json) -> None:
    opened = source("table.jsonl", lines(row))
    assert opened.native is None
    assert opened.implied.no_jobs is None
