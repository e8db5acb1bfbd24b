"""Citations in the reader: beside their passage, and beside the field that they bear out."""

from __future__ import annotations

from pathlib import Path

from batchtui.model import JobState, Json, Result
from batchtui.results.citing.citations import cited_answer
from batchtui.results.citing.cited_text import beside, cited_text
from batchtui.results.citing.mapping import map_citations
from batchtui.store.library import Library
from batchtui.tui.screens.reading.result import ResultScreen
from batchtui.tui.widgets.text_view import TextView
from tests.tui.samples import Sample, app_over
from tests.tui.waiting import until


def block(text: str, *pages: int) -> Json:
    return {
        "type": "text",
        "text": text,
        "citations": [
            {
                "type": "page_location",
                "cited_text": f"words of\n page {page}",
                "document_index": 0,
                "document_title": "bill.pdf",
                "start_page_number": page,
                "end_page_number": page + 1,
            }
            for page in pages
        ],
    }


BLOCKS = [
    block("**Total**: "),
    block("12.50", 2),
    block(", due "),
    block("5 May", 1, 3),
    block("\nNothing else.\n"),
    block("Thank you.", 4),
]


def result(parsed: Json = None) -> Result:
    answer, citations = cited_answer(BLOCKS)
    mapped = map_citations(answer, citations, parsed)
    return Result(
        job_id="a",
        status=JobState.COMPLETED,
        raw_response=answer,
        parsed_response=parsed,
        citations=citations,
        citation_mappings=mapped.mappings or None,
    )


def test_quotes_stand_below_the_line_they_belong_to() -> None:
    text = cited_text(result())
    assert text.splitlines() == [
        "**Total**: 12.50 [1], due 5 May [2] [3]",
        "    ↳ [1] bill.pdf, page 2: “words of page 2”",
        "    ↳ [2] bill.pdf, page 1: “words of page 1”",
        "    ↳ [3] bill.pdf, page 3: “words of page 3”",
        "Nothing else.",
        "Thank you. [4]",
        "    ↳ [4] bill.pdf, page 4: “words of page 4”",
    ]
    assert [text[start:end][:9] for start, end in beside(text)] == [f"    ↳ [{n}]"[:9] for n in (1, 2, 3, 4)]


def test_fields_come_first_with_what_bears_them_out() -> None:
    lines = cited_text(result({"total": 12.5, "paid": True, "customer": "Zed"})).splitlines()
    assert lines[:5] == [
        "total     12.5  high  [1] bill.pdf, page 2",
        "paid      true  -",
        "customer  Zed   -",
        "",
        "**Total**: 12.50 [1], due 5 May [2] [3]",
    ]


def test_hostile_citations_are_shown_as_far_as_they_make_sense() -> None:
    broken = Result(
        job_id="a",
        status=JobState.COMPLETED,
        raw_response="abc",
        parsed_response={"x": 1, "y\x1b[31m": "\x1b[2J"},
        citations=[
            None,
            5,
            {"metadata": {"at": [0, 99]}},
            {"text": "\x1b[31mred", "metadata": {"at": [0, 2]}, "source": 9},
        ],
        citation_mappings={"x": [{"confidence": 3, "metadata": None}], "y": "no"},
    )
    text = cited_text(broken)
    assert "\x1b" not in text
    assert "ab [4]c" in text
    assert "red" in text


def test_citations_without_a_place_in_the_answer_stand_at_its_end() -> None:
    loose = {"text": "words", "source": "a.txt", "page": None, "metadata": {"type": "char_location"}}
    text = cited_text(
        Result(job_id="a", status=JobState.COMPLETED, raw_response="It is so.", citations=[loose])
    )
    assert text == "It is so.\n    ↳ [1] a.txt: “words”"


async def test_the_reader_shows_them(tmp_path: Path) -> None:
    sample = Sample(Library(tmp_path / "data"), "k7fq2m", "bills", ["a"], backend="local", remote=False)
    sample.start(0)
    given = result({"total": 12.5})
    sample.finish(
        0,
        raw_response=given.raw_response,
        parsed_response=given.parsed_response,
        citations=given.citations,
        citation_mappings=given.citation_mappings,
    )
    sample.close()
    app = app_over(Library(sample.folder.path.parent.parent))
    async with app.run_test(size=(80, 24)) as pilot:
        app.read_result("k7fq2m", 0, [0])
        await until(pilot, lambda: isinstance(app.screen, ResultScreen) and app.screen.result)
        await until(pilot, lambda: "↳ [1] bill.pdf, page 2" in app.screen.query_one(TextView).plain)
        assert "total  12.5  high  [1] bill.pdf" in app.screen.query_one(TextView).plain
