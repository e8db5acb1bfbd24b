"""The language of `--where` and of the table's filter."""

from __future__ import annotations

import contextlib

import pytest

from batchtui.errors import BadInput
from batchtui.model import JobState, Result
from batchtui.results.reading.query import field_value, parse

ROW = {"species": "Adelie", "mass": "3750", "Culmen Length (mm)": 39.1, "a.b": {"c": [1, {"d": "x"}]}}
GOOD = Result(
    job_id="Bird-1", status=JobState.COMPLETED, raw_response="A small bird = nice", output_tokens=120, row=ROW,
    parsed_response={"ok": True, "score": 0.5, "none": None}, started="2026-03-01T10:00:00.000Z",
)  # fmt: skip
BAD = Result(
    job_id="bird-2",
    status=JobState.FAILED,
    error="Rate limit reached",
    error_kind="rate_limit",
    row={"species": ""},
)


@pytest.mark.parametrize(
    "query",
    [
        "", "SMALL", "bird-1", '"small bird"', '"bird = nice"', "!missing", "small nice", "status:completed,failed",
        "!status:failed", "id:bird", "row.species=adelie", "row.species!=Gentoo", "row.mass>3700", "row.mass=3750.0",
        "row.mass<=3750", "row.mass>=3750", "row.mass>=3749.5", "output_tokens>=120", "output_tokens<=120",
        "started>=2026-03-01T10:00:00.000Z", 'row."Culmen Length (mm)">39', "output_tokens>100",
        "!output_tokens>200", "error=", "parsed_response.ok=true", "parsed_response.score<1", "parsed_response.none=null",
        "started>2026-02", "row.a.b.c[1].d=x", "row.a.b.c[0]=1", "cost_usd!=1",
    ],
)  # fmt: skip
def test_what_matches(query: str) -> None:
    assert parse(query).matches(GOOD)


@pytest.mark.parametrize(
    "query",
    [
        "large", "!small", "small large", "status:failed", "id:2", "error:rate", "row.species=Gentoo", "row.mass>4000",
        "row.mass>3750", "row.mass<3750", "row.mass>=3751",
        "output_tokens<100", "cost_usd>0", "cost_usd<0", "error!=", "row.none=x", "row.a.b.c[7]=1",
    ],
)  # fmt: skip
def test_what_does_not_match(query: str) -> None:
    assert not parse(query).matches(GOOD)


def test_errors_are_found_by_kind_and_text() -> None:
    assert all(
        parse(query).matches(BAD) for query in ("error:rate_limit", "error:REACHED", "limit", "row.species=")
    )


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("status:faild", '"failed"'),
        ("status=faild", '"failed"'),
        ("status!=compleded", '"completed"'),
        ("output_token>1", '"output_tokens"'),
        ("species=x", "row.species"),
    ],
)
def test_mistakes_name_the_nearest(query: str, hint: str) -> None:
    with pytest.raises(BadInput, match=hint):
        parse(query)


def test_a_state_may_be_asked_for_with_an_equals_sign() -> None:
    assert parse("status=failed,expired").matches(BAD)
    assert not parse("status!=failed,expired").matches(BAD)
    assert parse("status=failed").states == {JobState.FAILED}
    assert parse("!status=failed").matches(GOOD)


def test_states_that_can_match_at_all() -> None:
    assert parse("x").states is None
    assert parse("status:failed,expired !status:expired").states == {JobState.FAILED}
    assert JobState.FAILED not in (parse("!status:failed").states or ())


def test_simple_queries_need_no_rows() -> None:
    simple = parse("status:failed id:A error:Rate Word").simple
    assert simple == (frozenset({JobState.FAILED}), ("a",), ("rate",), ("word",))
    assert parse("").simple == (None, (), (), ())
    for query in ("row.a=1", "!word", "!id:x"):
        assert parse(query).simple is None
    assert parse("!status:failed").simple is not None


def test_a_path_leads_through_keys_with_dots() -> None:
    assert field_value(GOOD, "row.a.b") == ROW["a.b"]
    assert field_value(GOOD, "row.a.b.c[1].d") == "x"
    assert field_value(GOOD, "row.zzz.y") is None


@pytest.mark.parametrize("query", ["!", '"', "status:failed,", "=", ">3", "((", "row.=", "a" * 10_000])
def test_odd_queries_are_answered_or_refused(query: str) -> None:
    with contextlib.suppress(BadInput):
        parse(query).matches(GOOD)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("/gent[ou]{2}/", True),
        ("/^GENT/", False),
        ("!/adelie|chinstrap/", True),
        ("/island of .*Biscoe/", True),
        ("id:/^row-\\d$/", True),
        ("id:/^\\d/", False),
        ("error:/time ?out/", True),
        ("cost>0.5", True),
        ("cost<0.5", False),
        ("state:failed", True),
        ("state=failed", True),
        ("answer=", False),
        ('"erorr:rate"', False),
        ("http://erorr:80/x", False),
        ("12:30", False),
    ],
)
def test_patterns_and_short_names(query: str, found: bool) -> None:
    result = Result(
        job_id="row-7", status=JobState.FAILED, raw_response="The Gentoo lives on the island of West Biscoe",
        error="Time out after 30 s", error_kind="network", cost_usd=0.75,
    )  # fmt: skip
    assert parse(query).matches(result) is found


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("erorr:rate", 'there is no field "erorr"; did you mean "error"?'),
        ("!stauts:failed", 'there is no field "stauts"; did you mean "status"?'),
        ("/(/", "/(/ is no regular expression"),
        ("id:/[/", "/[/ is no regular expression"),
        ("cots>1", 'unknown field "cots"; did you mean "cost"?'),
    ],
)
def test_what_makes_no_sense_is_told(query: str, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(query)
    assert words in str(refused.value)
