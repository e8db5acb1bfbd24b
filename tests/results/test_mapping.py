"""Citation mapping: which citation bears out which field, with what confidence, and what must not match."""

from __future__ import annotations

import pytest

from batchtui.model import Json
from batchtui.results.citing import mapping
from batchtui.results.citing.citations import cited_answer, passages, place
from batchtui.results.citing.mapping import map_citations
from batchtui.results.citing.value_forms import folded, forms, stands_in


def cited(text: str, *quotes: str) -> Json:
    """A text block that rests on quotes of one document."""
    return {
        "type": "text",
        "text": text,
        "citations": [
            {
                "type": "page_location",
                "cited_text": quote,
                "document_index": 0,
                "document_title": "invoice.pdf",
                "start_page_number": 2,
                "end_page_number": 3,
                "file_id": None,
            }
            for quote in quotes
        ],
    }


def plain(text: str) -> Json:
    return {"type": "text", "text": text}


def mapped(parsed: Json, *blocks: Json) -> dict[str, tuple[str, str]]:
    """Field to (confidence, quoted words) of its first citation."""
    answer, citations = cited_answer(list(blocks))
    found = map_citations(answer, citations, parsed).mappings
    return {name: (some[0]["confidence"], some[0]["text"]) for name, some in found.items()}


def test_citations_keep_every_field_and_their_place_in_the_answer() -> None:
    char = {
        "type": "char_location",
        "cited_text": "blue",
        "document_index": 1,
        "document_title": None,
        "start_char_index": 4,
        "end_char_index": 8,
        "file_id": "file_1",
    }
    block = {
        "type": "content_block_location",
        "cited_text": "green",
        "document_index": 2,
        "document_title": "notes",
        "start_block_index": 0,
        "end_block_index": 2,
    }
    text, citations = cited_answer(
        [
            plain("The sky is "),
            cited("42", "it is 42"),
            {"type": "text", "text": " blue", "citations": [char, block]},
        ]
    )
    assert text == "The sky is 42 blue"
    assert citations is not None
    page, chars, blocks = citations
    assert page["text"] == "it is 42"
    assert page["source"] == "invoice.pdf"
    assert page["page"] == 2
    assert page["metadata"] == {
        "type": "page_location",
        "document_index": 0,
        "start_page_number": 2,
        "end_page_number": 3,
        "file_id": None,
        "at": [11, 13],
    }
    assert text[slice(*chars["metadata"]["at"])] == " blue"
    assert (chars["metadata"]["start_char_index"], chars["metadata"]["end_char_index"]) == (4, 8)
    assert chars["metadata"]["file_id"] == "file_1"
    assert blocks["metadata"]["end_block_index"] == 2
    assert [place(one) for one in citations] == [
        "invoice.pdf, page 2",
        "document 2, characters 4-8",
        "notes, blocks 0-1",
    ]
    assert [(p.start, p.end, p.citations) for p in passages(citations, len(text))] == [
        (11, 13, (0,)),
        (13, 18, (1, 2)),
    ]


@pytest.mark.parametrize("blocks", [None, "text", [], [1, {"type": "tool_use"}, {"type": "text"}]])
def test_blocks_that_hold_no_text_give_nothing(blocks: Json) -> None:
    assert cited_answer(blocks) == (None, None)


@pytest.mark.parametrize(
    ("words", "confidence"),
    [
        ("gross total of this bill", "high"),  # 4 of 5 words: 0.8, the edge itself
        ("gross total of this", "medium"),
        ("gross total of this bill amount", "high"),
        ("the tax is not", "low"),
    ],
)
def test_confidence_at_its_edges(words: str, confidence: str) -> None:
    found = mapped({"gross_total_this_bill_amount": 4711}, cited(f"{words}, 4711", "4711"))
    assert found == {"gross_total_this_bill_amount": (confidence, "4711")}


def test_hostile_citations_do_not_break_the_answer() -> None:
    text, citations = cited_answer(
        [
            {
                "type": "text",
                "text": "a",
                "citations": [None, "x", {"cited_text": 5, "start_page_number": "one"}],
            }
        ]
    )
    assert text == "a"
    assert citations is not None
    assert citations[0]["text"] == ""
    assert citations[0]["page"] is None
    places = [[5, 2], [0, 99], "x", 7, [0, 1]]
    assert passages([{"metadata": {"at": at}} for at in places], 3) == [(0, 1, (4,))]
    assert passages([None, 7, {}, {"metadata": None}], 3) == []


# ---- mapping


def test_a_bold_label_is_high_and_what_has_no_citation_is_unmapped() -> None:
    answer, citations = cited_answer(
        [
            plain("**Invoice Number:** "),
            cited("INV-1041", "No. INV-1041"),
            plain("\n**Total Amount**: "),
            cited("$1,234.50", "Total 1234.50"),
            plain('\n{"invoice_number": "INV-1041", "total_amount": 1234.5, "vendor": "Acme"}'),
        ]
    )
    found = map_citations(
        answer, citations, {"invoice_number": "INV-1041", "total_amount": 1234.5, "vendor": "Acme"}
    )
    assert {name: [one["confidence"] for one in some] for name, some in found.mappings.items()} == {
        "invoice_number": ["high"],
        "total_amount": ["high"],
    }
    assert found.mappings["total_amount"][0]["page"] == 2
    assert "label" in found.mappings["invoice_number"][0]["match_reason"]
    assert found.unmapped == ["vendor"]
    assert found.note == "no citation fits 1 of 3 fields: vendor"
    assert citations is not None
    assert citations[0]["confidence"] is None  # the list itself stays as the provider gave it


@pytest.mark.parametrize(
    ("before", "confidence"),
    [
        ("**Due date**: ", "high"),
        ("due date: ", "high"),
        ("Notes follow.\ndue date - ", "high"),
        ("The due date is ", "high"),
        ('{"due_date": ', "high"),
        ("It was due on the ", "medium"),
        ("Dates that were due: ", "high"),
        ("The parties met on ", "low"),
    ],
)
def test_the_words_around_a_value_tell_the_confidence(before: str, confidence: str) -> None:
    assert (
        mapped({"due_date": "2024-03-05"}, plain(before), cited("March 5, 2024", "5/3"))["due_date"][0]
        == confidence
    )


def test_a_name_without_long_words_is_medium() -> None:
    assert mapped({"id": 77}, plain("see "), cited("77", "no 77"))["id"][0] == "medium"


def test_only_the_best_kept() -> None:
    answer, citations = cited_answer(
        [plain("Some 90 people. "), cited("It holds 90", "a"), plain(" Total: "), cited("90", "b")]
    )
    found = map_citations(answer, citations, {"total": 90}).mappings["total"]
    assert [one["text"] for one in found] == ["b"]


def test_words_that_go_on_take_the_label_before_them() -> None:
    blocks = [plain("**Colours**: "), cited("red", "r"), cited(" and blue", "b"), cited("; green", "g")]
    assert mapped({"colours": "blue"}, *blocks) == {"colours": ("high", "b")}
    assert mapped({"colours": "green"}, *blocks) == {"colours": ("high", "g")}


def test_faults_that_are_avoided() -> None:
    assert mapped({"count": 5}, cited("Count: Room 150", "x")) == {}
    assert mapped({"count": 5}, cited("Count: 5.25 or 1,005 or 15 or A5 or 5th", "x")) == {}
    assert mapped({"count": 5}, cited("Count: -5", "x")) == {}
    assert mapped({"count": -5}, cited("Count: 10-5", "x")) == {}
    assert mapped({"paid": True}, cited("Paid: 1", "x")) == {}
    assert mapped({"name": "Ann"}, cited("Name: Annabel", "x")) == {}
    assert mapped({"a": None, "b": "", "c": [5], "d": {"e": 5}}, cited("5", "x")) == {}
    assert (
        mapped({"count": 5}, cited("Room 150, count: 5", "x"))["count"][0] == "high"
    )  # a later occurrence counts


def test_nothing_raises_whatever_came() -> None:
    answer, citations = cited_answer([cited("5", "x")])
    for parsed in (
        None,
        [],
        "text",
        {"a": float("nan")},
        {"a": float("inf")},
        {"": 5},
        {"a" * 5000: 5},
        {"(": 5},
    ):
        map_citations(answer, citations, parsed)
    for broken in ([None], ["x"], [{"metadata": None}], [{"metadata": {"at": [0]}}]):
        assert map_citations("5", broken, {"a": 5}).mappings == {}
    assert map_citations(None, citations, {"a": 5}).mappings == {}


def test_fields_without_citation_are_told() -> None:
    answer, citations = cited_answer([plain("a: "), cited("5", "x")])
    found = map_citations(answer, citations, {"aaa": 5, "bbb": 6, "ccc": 7, "ddd": None, "eee": True})
    assert found.unmapped == ["bbb", "ccc"]
    assert found.note == "no citation fits 2 of 3 fields: bbb, ccc"
    assert map_citations(answer, citations, {"aaa": 5, "eee": True}).note is None
    many = map_citations(answer, citations, {f"f{n}": n + 10 for n in range(12)}).note
    assert many == "no citation fits 12 of 12 fields: f0, f1, f2, f3, f4, f5, f6, f7, f8, f9 and 2 more"


def test_an_answer_made_to_be_slow_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are looked for so often, and in so much text, and no more."""
    looked_through: list[int] = []
    really = mapping._score

    def score(name: str, text: str) -> mapping._Score:
        looked_through.append(len(text))
        return really(name, text)

    monkeypatch.setattr(mapping, "_score", score)
    words = " ".join(f"word{n % 977} total{n % 991}" for n in range(3_000)) + "\n" * 3_000
    blocks = [plain(words), cited("** " * 2000 + "5 " * 2000, *["q"] * 1000), *[cited("6 7 8", "q")] * 2000]
    answer, citations = cited_answer(blocks)
    map_citations(answer, citations, {f"total amount of part {n}": n % 10 for n in range(300)})
    assert 0 < len(looked_through) <= mapping.MOST_FIELDS * mapping.MOST_HITS
    assert max(looked_through) <= mapping.NEAR


# ---- forms


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1500, "1,500"),
        (1500, "$1500"),
        (1500, "$1,500.00"),
        (1500.0, "1500"),
        (17, "17.0"),
        (1234.5, "1234.5"),
        (1234.5, "$1,234.50"),
        (0.5, "0.500"),
        (-3, "−3"),
        ("Acme Corp", "ACME\n Corp"),
        ('"quoted"', "it is quoted here"),
        ("2024-03-05", "5 March 2024"),
        ("2024-03-05", "Mar 5 2024"),
        ("2024-03-05", "3/5/24"),
        ("2024-03-05", "05/03/2024"),
        ("2024-03-05", "05-03-2024"),
        ("2024-03-05T10:00:00Z", "March 5, 2024"),
        ("東京", "住所は東京です"),
        (5, "約5人"),
        ("Zoë", "zoe\u0308 said"),
    ],
)
def test_a_value_is_found_as_people_write_it(value: Json, text: str) -> None:
    assert any(stands_in(folded(form), folded(text)) for form in forms(value))


@pytest.mark.parametrize(
    "value", [None, True, False, "", "  ", [], {}, float("nan"), float("inf"), "x" * 3000]
)
def test_what_is_not_looked_up(value: Json) -> None:
    assert forms(value) == []
