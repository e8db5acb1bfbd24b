"""The keys of `[source]`: rows, skip, where, encoding, separator, decimal."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from batchtui.errors import BadInput
from batchtui.model import SourceSpec
from batchtui.sources.readers import open_source
from tests.sources.source_help import Write, problems_of, rows_of

CARS = "id,make,price\n,,\n1,Saab,5\n2,Audi,12.5\n3,Saab,40\n4,,7\n"
SEMICOLONS = "id;city;price\r\n1;Zürich;1,5\r\n2;Genève;1.234,50\r\n"


# ---- rows


@pytest.mark.parametrize(
    ("path", "line"),
    [("data", 2), ("result.items", 4), ("pages[1].rows", 7), ("a.b", 9)],
)
def test_rows_lead_to_a_list_in_a_document(source: Write, path: str, line: int) -> None:
    text = """{"version": 1, "data": [
{"id": "x"}],
"result": {"of": {}, "items": [
{"id": "x"}
], "count": 1},
"pages": [{"rows": []}, {"rows": [
{"id": "x"}]}, {"rows": 0}],
"a.b": [
{"id": "x"}
]}"""
    opened = source("doc.json", text, rows=path)
    (row,) = rows_of(opened)
    assert (row.line, row.values, opened.columns, opened.id_column) == (line, {"id": "x"}, ["id"], "id")
    assert problems_of(opened) == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("dta", 'no key "dta" in the document; did you mean "data"?'),
        ("data.itms", 'no key "itms" in "data"; did you mean "items"?'),
        ("data", '"data" holds an object, and rows are a list'),
        ("data.n", '"data.n" holds a number'),
        ("data.n.x", '"x" leads nowhere: "data.n" holds a number'),
        ("data.items[7].x", "no item 7"),
        ("data.items.x", '"x" leads nowhere: "data.items" is a list'),
    ],
)
def test_a_path_to_no_list_says_where_it_ends(source: Write, path: str, words: str) -> None:
    opened = source("doc.json", '{"data": {"items": [{"a": 1}], "n": 1}}', rows=path)
    (problem,) = problems_of(opened)
    assert (problem.key, problem.fatal) == ("source.rows", True)
    assert words in problem.message


def test_a_document_cut_behind_its_rows_is_no_whole_one(source: Write) -> None:
    (problem,) = problems_of(source("doc.json", '{"data": [{"a": 1}], "next"', rows="data"))
    assert "not JSON" in problem.message


def test_a_document_with_one_list_hints_at_rows(source: Write) -> None:
    (hint,) = problems_of(source("doc.json", '{"meta": {"n": [1]}, "data": {"items": [{"a": 1}, {"a": 2}]}}'))
    assert not hint.fatal
    assert 'rows = "data.items" under [source]' in hint.message
    assert rows_of(source("doc.json", '{"data": {"items": [{"a": 1}, {"a": 2}]}}', rows="data.items"))
    for quiet in ('{"a": [{"x": 1}], "b": [{"x": 1}]}', '{"messages": [{"role": "user"}]}', '{"a": [1, 2]}'):
        assert problems_of(source("doc.json", quiet)) == []


# ---- skip, where


def test_skip_then_where_then_limit(source: Write) -> None:
    opened = source("cars.csv", CARS, skip=2, where="make=saab", limit=1)
    assert [row.values["id"] for row in rows_of(opened)] == ["3"]
    opened = source("cars.csv", CARS, where="price>=7")
    assert [row.values["id"] for row in rows_of(opened)] == ["2", "3", "4"]
    assert [problem.message for problem in problems_of(opened)] == [
        "1 empty row left out (line 2)",
        "1 of 4 rows left out by where",
    ]


def test_the_shuffle_comes_behind_where_and_before_limit(source: Write) -> None:
    text = "id,n\n" + "".join(f"{n},{n % 2}\n" for n in range(200))
    chosen = [row.number for row in rows_of(source("n.csv", text, where="n=1", shuffle=True, limit=20))]
    assert len(chosen) == 20
    assert all(number % 2 == 0 for number in chosen)
    assert max(chosen) > 100


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("make=Saab price>10", "3"),
        ("make = Saab and price > 10", "3"),
        ("make == 'saab'", "13"),
        ('make="Saab"', "13"),
        ("!make=saab", "24"),
        ("make!=saab", "24"),
        ("make=", "4"),
        ("row.price<=7", "14"),
        ('"price">7', "23"),
        ("aud", "2"),
        ("!aud", "134"),
        ("", "1234"),
    ],
)
def test_terms_of_where(source: Write, where: str, ids: str) -> None:
    rows = rows_of(source("cars.csv", CARS, where=where))
    assert "".join(str(row.values["id"]) for row in rows) == ids


def test_where_looks_into_nested_rows_and_names_with_spaces(source: Write) -> None:
    text = '{"a": {"b": [1]}, "Unit Price": 3}\n{"a": {"b": [2]}, "Unit Price": 9}\n'
    assert [row.number for row in rows_of(source("r.jsonl", text, where="a.b[0]=2"))] == [2]
    assert [row.number for row in rows_of(source("r.jsonl", text, where='"Unit Price"<5'))] == [1]


def test_a_column_that_no_row_has_is_told_with_the_nearest(source: Write) -> None:
    for name, text in (("r.csv", "status,x\nopen,1\n"), ("r.jsonl", '{"status": "open"}\n')):
        for where in ("statsu=open", "!statsu=open"):
            (told,) = [problem for problem in problems_of(source(name, text, where=where)) if problem.fatal]
            assert told.key == "source.where"
            assert 'did you mean "status"?' in told.message
    late = '{"a": 1}\n' * 150 + '{"rare": 1}\n'
    assert [row.number for row in rows_of(source("r.jsonl", late, where="rare=1"))] == [151]
    assert all(not problem.fatal for problem in problems_of(source("r.jsonl", late, where="rare=1")))


def test_nothing_left_says_why(source: Write) -> None:
    assert "fits make=Fiat" in problems_of(source("c.csv", CARS, where="make=Fiat"))[-1].message
    assert "compared with =" in problems_of(source("c.csv", CARS, where="make:Saab"))[-1].message
    assert "skip leaves out" in problems_of(source("c.csv", CARS, skip=50))[-1].message
    assert "are empty" in problems_of(source("c.csv", "a,b\n,\n , \n"))[-1].message
    with pytest.raises(BadInput, match="joins no terms"):
        source("c.csv", CARS, where="make=Saab or make=Audi")


def test_what_is_left_out_brings_no_warnings_and_no_problems(source: Write) -> None:
    secret = "sk-" + "a" * 30
    text = f"id,key\nunit\n1,{secret}\n2,plain\n"
    assert [str(problem) for problem in problems_of(source("r.csv", text, skip=2))] == []
    said = problems_of(source("r.csv", text, skip=1, where="id=2"))
    assert [problem.message for problem in said] == ["1 of 2 rows left out by where"]


# ---- encoding, separator, decimal


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("zipped", [False, True])
def test_other_encodings_separators_and_decimals(source: Write, encoding: str, zipped: bool) -> None:
    content = SEMICOLONS.encode(encoding)
    opened = source(
        "r.csv.gz" if zipped else "r.csv",
        gzip.compress(content) if zipped else content,
        encoding=encoding,
        separator=";",
        decimal=",",
    )
    assert [row.values for row in rows_of(opened)] == [
        {"id": "1", "city": "Zürich", "price": "1.5"},
        {"id": "2", "city": "Genève", "price": "1234.50"},
    ]
    assert problems_of(opened) == []


def test_standard_input_and_json_in_another_encoding(tmp_path: Path, source: Write) -> None:
    stream = io.BytesIO('{"a": "é"}\n{"a": "ü"}\n'.encode("utf-16"))
    opened = open_source(SourceSpec(file="-", encoding="UTF-16"), tmp_path, stdin=stream)
    assert [row.values["a"] for row in rows_of(opened)] == ["é", "ü"]
    assert rows_of(source("a.json", '[{"a": "ß"}]'.encode("latin-1"), encoding="latin1"))[0].values == {
        "a": "ß"
    }


def test_bytes_that_are_not_in_the_encoding_end_in_a_problem(source: Write) -> None:
    text = b"id,a\n" + b"1,x\n" * 40_000 + b"2,\x81\n"
    problem = problems_of(source("r.csv", text, encoding="cp1252"))[-1]
    assert problem.fatal
    assert "not cp1252" in problem.message


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"encoding": "latin1x"}, 'no encoding "latin1x"; did you mean "latin1"?'),
        ({"encoding": "base64"}, "no encoding"),
        ({"separator": "semicolom"}, 'did you mean "semicolon"?'),
        ({"separator": "ab"}, "expected one sign"),
        ({"separator": '"'}, "expected one sign"),
        ({"decimal": ","}, "name another separator"),
        ({"decimal": "x"}, 'expected "," or "."'),
        ({"skip": -1}, "expected 0 or more"),
        ({"rows": "data"}, "belongs to JSON documents; r.csv is CSV"),
        ({"sheet": "One"}, "belongs to spreadsheets; r.csv is CSV"),
        ({"rows": ""}, "empty"),
    ],
)
def test_settings_out_of_range_or_of_place_are_refused(
    source: Write, settings: dict[str, object], words: str
) -> None:
    with pytest.raises(BadInput, match=r"^source\.") as refused:
        source("r.csv", "id,a\n1,2\n", **settings)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "settings"),
    [
        ("r.jsonl", b'{"a": 1}\n{"a": 2}\n', {"separator": ";"}),
        ("r.jsonl", b'{"a": 1}\n{"a": 2}\n', {"rows": "data"}),
        ("r.json", b'[{"a": 1}]', {"decimal": ","}),
        ("r.json", b'{"scenarios": [{"id": "a", "grid": "g.m"}]}', {"separator": ";"}),
        ("r.parquet", b"", {"encoding": "cp1252"}),
        ("r.xlsx", b"", {"encoding": "cp1252"}),
    ],
)
def test_settings_of_another_form_are_refused(
    source: Write, name: str, content: bytes, settings: dict[str, object]
) -> None:
    with pytest.raises(BadInput, match=rf"source\.{next(iter(settings))}: belongs to"):
        source(name, content, **settings)


@pytest.mark.parametrize("separator", ["tab", "\\t", "\t", "TAB"])
def test_separators_have_names(source: Write, separator: str) -> None:
    assert rows_of(source("r.csv", "id\tx\n1\ta,b\n", separator=separator))[0].values == {
        "id": "1",
        "x": "a,b",
    }


def test_decimals_touch_numbers_alone(source: Write) -> None:
    text = "a;b;c;d;e\n-1,5;1,2,3;v1,5;1.234;1'234,5e3\n"
    opened = source("r.csv", text, separator=";", decimal=",")
    (row,) = rows_of(opened)
    assert list(row.values.values()) == ["-1.5", "1,2,3", "v1,5", "1.234", "1234.5e3"]
    (doubt,) = problems_of(opened)
    assert '"1.234" stays as it is' in doubt.message
    assert not doubt.fatal


@pytest.mark.parametrize("mark", ["sep={}", '"sep={}"', "SEP={}", "sep={0}{0}{0}"])
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", [None, "utf-8-sig", "utf-16"])
def test_a_sep_line_is_obeyed_and_no_row(
    source: Write, mark: str, sign: str, end: str, encoding: str | None
) -> None:
    text = end.join([mark.format(sign), sign.join(["id", "city"]), sign.join(["1", "Bern"]), ""])
    opened = source("r.csv", text.encode(encoding or "utf-8"), encoding=encoding)
    assert opened.columns == ["id", "city"]
    assert [(row.line, row.values) for row in rows_of(opened)] == [(3, {"id": "1", "city": "Bern"})]
    assert problems_of(opened) == []


def test_a_separator_that_is_said_stands_over_the_sep_line(source: Write) -> None:
    assert rows_of(source("r.csv", "sep=,\na;b\n1;2\n", separator=";"))[0].values == {"a": "1", "b": "2"}
    assert source("r.csv", "sep=,\n").columns == []
    assert source("r.csv", "sep=\na,b\n1,2\n").columns == ["sep="]


# ---- tables


def test_empty_rows_of_any_length_are_left_out_and_counted(source: Write) -> None:
    opened = source("r.csv", ',,\nid,a\n1,x\n,\n,,,,\n"",""\n \t , \n2,y\n')
    assert [(row.number, row.values["id"]) for row in rows_of(opened)] == [(1, "1"), (6, "2")]
    (problem,) = problems_of(opened)
    assert (problem.message, problem.fatal) == ("4 empty rows left out (lines 4, 5, 6, 7)", False)


def test_separators_at_a_rows_end_are_told_as_such(source: Write) -> None:
    (problem,) = problems_of(source("r.csv", "id,a\n1,x,\n"))
    assert "ends in separators with nothing behind them" in problem.message
    (problem,) = problems_of(source("r.csv", "id,a\n1,x,y\n"))
    assert "wants quotes" in problem.message
