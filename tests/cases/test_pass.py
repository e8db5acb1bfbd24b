"""What passed when it was first tried, and must go on doing so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.case_help import Case

MakeCase = Callable[[str], Case]


def test_a_deployment_at_azure_gets_the_endpoint_of_chat_completions(case: MakeCase) -> None:
    ran = case("pass-azure-url").run(
        "check", "requests.jsonl", "--backend", "openai", "--json", OPENAI_API_KEY="none"
    )
    found = ran.documents[0]
    assert (ran.code, found["jobs"], found["problems"]) == (0, 1, [])
    assert [message["role"] for message in found["first"]["messages"]] == ["system", "user"]


def test_a_byte_order_mark_carriage_returns_and_blank_lines_are_no_jobs(case: MakeCase) -> None:
    ran = case("pass-bom-crlf-blank").run(
        "check", "requests.jsonl", "--backend", "openai", "--json", OPENAI_API_KEY="none"
    )
    assert (ran.code, ran.documents[0]["jobs"], ran.documents[0]["problems"]) == (0, 3, [])


def test_vectors_stand_in_the_output(case: MakeCase) -> None:
    it = case("pass-embeddings")
    with it.serve("batch_server.py", "lines.jsonl"):
        ran = it.run("run", "requests.jsonl", "--backend", "batchcase", "--yes", "--out", "out.jsonl")
    assert ran.code == 0
    assert all(row["output"] and row["input_tokens"] == 8 for row in it.rows())


@pytest.mark.parametrize(
    ("file", "word"), [("latin1.csv", "UTF-8"), ("utf16.csv", "UTF-16"), ("semi.csv", "semicolon")]
)
def test_an_encoding_or_a_separator_that_is_not_meant_is_named(case: MakeCase, file: str, word: str) -> None:
    ran = case("pass-encodings").run("check", "--backend", "local", "--set", 'job.command=["true"]', file)
    assert ran.code == 2
    assert word.casefold() in (ran.out + ran.err).casefold()


def test_how_a_program_ended_is_told(case: MakeCase) -> None:
    it = case("pass-exit-and-signals")
    ran = it.run("run", "case.toml", "--trust", "--yes", "--out", "out.jsonl")
    assert ran.code == 1
    rows = {row["job_id"]: row for row in it.rows()}
    for name, signal in (("sig9", "SIGKILL"), ("sig11", "SIGSEGV"), ("sig15", "SIGTERM"), ("sig2", "SIGINT")):
        assert rows[name]["error_kind"] == "signal"
        assert signal in rows[name]["error"]
    assert [rows[name]["error_kind"] for name in ("e255", "e137")] == ["exit", "exit"]
    assert [rows[name]["status"] for name in ("bin", "latin", "huge")] == ["completed"] * 3


def test_null_content_is_one_paid_call_and_no_answer(case: MakeCase) -> None:
    it = case("pass-null-content")
    with it.serve("reply_server.py", "replies.json") as server:
        ran = it.run("run", "case.toml", "--trust", "--yes", "--out", "out.jsonl")
        assert server.calls["calls"] == 1
    assert ran.code == 1
    assert it.rows()[0]["status"] == "failed"


def test_a_params_line_with_a_model_of_openai_is_taken(case: MakeCase) -> None:
    ran = case("pass-params-shape").run(
        "check", "requests.jsonl", "--backend", "openai", "--json", OPENAI_API_KEY="none"
    )
    assert (ran.code, ran.documents[0]["jobs"]) == (0, 1)


def test_values_of_parquet_are_exact(case: MakeCase) -> None:
    pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
    it = case("pass-parquet-types")
    ran = it.run("run", "case.toml", "--trust", "--yes", "--out", "out.jsonl")
    assert ran.code == 0
    assert len(it.rows()) == 3
    written = (it.folder / "out.jsonl").read_text(encoding="utf-8")
    for exact in ("9007199254740993", "12345678901234567.89", "18446744073709551615"):
        assert exact in written


def test_a_retry_after_that_is_a_date_is_waited_for(case: MakeCase) -> None:
    it = case("pass-retry-after-date")
    with it.serve("reply_server.py", "replies.json"):
        ran = it.run("run", "case.toml", "--trust", "--yes", "--out", "out.jsonl")
    assert ran.code == 0
    assert it.rows()[0]["status"] == "completed"
