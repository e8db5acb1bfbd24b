"""A result as the reader shows it, without a screen."""

from __future__ import annotations

import pytest

from batchtui.model import JobState, Result
from batchtui.text import LINE_LIMIT
from batchtui.tui.actions import handing_out
from batchtui.tui.look.result_texts import (
    PART_CHARACTERS,
    answer_text,
    beside_text,
    facts,
    markdown_fault,
    meta_rows,
    note_of,
    part,
    parts,
    result_json,
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "word " * 100_000,
        "x" * 1_000_000,
        "line\n" * 50_000,
        "\n" * 200_000,
        "é\u0301" * 90_000,
        "a\n" + "b" * 70_000,
    ],
)
def test_parts_hold_the_whole_text_and_no_more(text: str) -> None:
    starts = parts(text)
    ends = [*starts[1:], len(text)]
    assert starts[0] == 0
    assert "".join(text[a:b] for a, b in zip(starts, ends, strict=True)) == text
    for number in range(len(starts)):
        shown = part(text, starts, number)
        assert len(shown) <= PART_CHARACTERS + PART_CHARACTERS // LINE_LIMIT + 1
        assert max(len(line) for line in shown.split("\n")) <= LINE_LIMIT


def test_a_part_is_clean() -> None:
    text = "a\x1b[31m\u202eb" + "e" + "\u0301" * 100_000
    shown = part(text, parts(text), 0)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert len(shown) < 40


def test_an_answer_is_the_words_else_the_value_else_the_output() -> None:
    assert answer_text(Result(job_id="a", raw_response="words", parsed_response={"a": 1})) == "words"
    assert answer_text(Result(job_id="a", parsed_response={"a": 1})) == '{\n  "a": 1\n}'
    assert answer_text(Result(job_id="a", output={"mwh": 1})) == '{\n  "mwh": 1\n}'
    assert "[stderr]\noops" in answer_text(
        Result(job_id="a", raw_response="out\n", output={"stderr": "oops"})
    )
    assert answer_text(Result(job_id="a")) == ""


def test_a_note_says_why_there_is_no_answer() -> None:
    assert note_of(Result(job_id="a", status=JobState.COMPLETED, raw_response="x")) == ""
    assert note_of(Result(job_id="a", status=JobState.COMPLETED)) == "it completed and gave nothing"
    assert "not sent yet" in note_of(Result(job_id="a"))
    failed = Result(job_id="a", status=JobState.FAILED, error="429", error_kind="rate_limit")
    assert note_of(failed) == "failed: rate_limit: 429"


def test_an_answer_to_a_schema_is_shown_as_its_value() -> None:
    fenced = Result(
        job_id="a", status=JobState.COMPLETED, raw_response='```\n{"a": 1}\n```', parsed_response={"a": 1},
        repaired="the code fence around it was taken off",
    )  # fmt: skip
    assert answer_text(fenced) == '{\n  "a": 1\n}'
    assert note_of(fenced).startswith("mended: the code fence around it was taken off")
    assert dict(meta_rows(fenced))["mended"] == "the code fence around it was taken off"


def test_what_breaks_the_schema_stands_above_the_words_as_they_came() -> None:
    error = "$.a: 'x; y' is not of type 'integer'; $: 'b' is a required property; it was cut off at its token limit"
    invalid = Result(
        job_id="a", status=JobState.INVALID, raw_response='{"a": "x; y"}', parsed_response={"a": "x; y"},
        error=error, error_kind="schema",
    )  # fmt: skip
    assert answer_text(invalid) == '{"a": "x; y"}'
    assert note_of(invalid).split("\n") == [
        "invalid: the answer does not fit the schema",
        "  $.a: 'x; y' is not of type 'integer'",
        "  $: 'b' is a required property",
        "  it was cut off at its token limit",
    ]


def test_figures_of_a_result() -> None:
    result = Result(
        job_id="a", status=JobState.COMPLETED, input_tokens=812, output_tokens=96, cost_usd=0.0004, attempts=1,
        started="2026-01-01T00:00:00Z", ended="2026-01-01T00:00:02.1Z", finish_reason="stop", remote={"task_id": "t1"},
    )  # fmt: skip
    assert facts(result) == "812 in 96 out   $0.0004   2.1 s   attempt 1   stop"
    assert dict(meta_rows(result)).items() >= {"task_id": "t1", "tokens in": "812", "took": "2.1 s"}.items()
    assert '"output_tokens": 96' in result_json(result)


def test_a_count_that_nobody_told_is_not_shown_as_none() -> None:
    result = Result(job_id="a", status=JobState.COMPLETED, input_tokens=12)
    assert facts(result) == "12 in"


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("# Fine\n\n- one\n", False),
        ("x" * 200_001, True),
        ("- item\n" * 1000, True),
        ("\ud83d" * 100_000, True),
        ("|a|b|c|d|\n" * 500, True),
        (">" * 10_000 + " deep", True),
        ("> " * 30 + "deep", True),
        ("- " * 30 + "deep", True),
    ],
)
def test_markdown_that_would_take_long_is_refused(text: str, refused: bool) -> None:
    assert bool(markdown_fault(text)) is refused


def test_a_file_name_is_safe() -> None:
    assert (
        handing_out.file_name("a b", "../../etc/passwd", ending=".txt") == "a%20b-..%2F..%2Fetc%2Fpasswd.txt"
    )
    assert handing_out.file_name("..", ending=".txt") == "result.txt"
    assert len(handing_out.file_name("\ud83d" + "x" * 500, ending=".json")) <= 130


def test_the_clipboard_sequence_is_measured_as_it_is_sent() -> None:
    assert handing_out.encoded_size("abc") == 4
    assert handing_out.encoded_size("é" * 2) == 8
    assert handing_out.encoded_size("\ud83d") == 4


def test_what_came_beside_the_answer_stands_below_it_and_is_never_the_answer() -> None:
    result = Result(
        job_id="a", status=JobState.COMPLETED, raw_response="let me look", reasoning="hm", finish_reason="length",
        note="cut off at its token limit (length)", tool_calls=[{"name": "weather"}],
        choices=[
            {"text": "let me look", "finish_reason": "length"},
            {"text": None, "finish_reason": "stop", "error": "the model refused: no", "error_kind": "refusal"},
        ],
    )  # fmt: skip
    assert answer_text(result) == "let me look"
    assert note_of(result) == "cut off at its token limit (length)"
    shown = beside_text(result)
    order = [
        "[tool calls]",
        "weather",
        "[answer 1 of 2 (length)]",
        "[answer 2 of 2 (stop)]",
        "refused: no",
        "[thinking,",
        "hm",
    ]
    assert [shown.index(words) for words in order] == sorted(shown.index(words) for words in order)
    rows = dict(meta_rows(result))
    assert (rows["note"], rows["tool calls"], rows["answers"]) == (result.note, "1", "2")
    assert beside_text(Result(job_id="b", status=JobState.COMPLETED, raw_response="4")) == ""
