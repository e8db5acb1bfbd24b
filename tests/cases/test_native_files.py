"""Batch files of the providers as sources, and their answers, which are none."""

from __future__ import annotations

import json
from pathlib import Path

from batchtui.model import Json
from tests.cases.case_help import Case, copied


def checked(case: Case, *arguments: str) -> dict[str, Json]:
    ran = case.run(
        "check", *arguments, "--json", GEMINI_API_KEY="none", ANTHROPIC_API_KEY="none", OPENAI_API_KEY="n"
    )
    told: dict[str, Json] = json.loads(ran.out)
    return told


def test_gemini_batch_file(tmp_path: Path) -> None:
    case = copied("source-gemini-batch-file", tmp_path)
    told = checked(case, "requests.jsonl", "--backend", "gemini", "--set", "job.model=gemini-2.5-flash")
    assert told["jobs"] == 2
    assert told["problems"] == []
    assert told["first"]["generationConfig"] == {"temperature": 0.1}


def test_a_file_of_answers_says_so_once_and_may_be_asked_about(tmp_path: Path) -> None:
    case = copied("own", tmp_path)
    rows = [{"key": f"g{n}", "response": {"candidates": [], "responseId": f"r{n}"}} for n in range(3)]
    (case.folder / "out.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = checked(case, "out.jsonl", "--backend", "gemini", "--set", "job.model=gemini-2.5-flash")
    (problem,) = told["problems"]
    assert "answers of Gemini" in problem["message"]
    assert problem["fatal"]
    asked = checked(
        case, "out.jsonl", "--backend", "gemini", "--set", "job.model=gemini-2.5-flash",
        "--set", "job.prompt=Judge {{ response.responseId }}",
    )  # fmt: skip
    assert asked["jobs"] == 3
    assert asked["problems"] == []


def test_anthropic_models_on_other_clouds(tmp_path: Path) -> None:
    """The version that Bedrock and Vertex AI want in the body is a header at Anthropic."""
    case = copied("own", tmp_path)
    messages = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    model_input = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": messages}
    (case.folder / "in.jsonl").write_text(json.dumps({"recordId": "r0", "modelInput": model_input}) + "\n")
    told = checked(case, "in.jsonl", "--backend", "anthropic", "--set", "job.model=claude-haiku-4-5")
    assert told["problems"] == []
    assert told["first"] == {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": messages}
