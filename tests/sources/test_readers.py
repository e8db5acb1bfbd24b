from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import random
import tracemalloc
from pathlib import Path

import pytest

from batchtui.errors import BadInput
from batchtui.model import SourceSpec
from batchtui.sources import inflation, inputs
from batchtui.sources.readers import open_source
from batchtui.sources.templates.template import compile_template, render_id
from tests.sources.source_help import Write, problems_of, rows_of


def test_penguins_stay_text(inputs: Path) -> None:
    source = open_source(SourceSpec(file="penguins.csv"), inputs)
    rows = rows_of(source)
    assert len(rows) == 344
    assert source.count_hint == 344
    assert source.columns[:3] == ["species", "island", "bill_length_mm"]
    assert rows[0].values["bill_length_mm"] == "39.1"
    assert rows[3].values["bill_length_mm"] == "NA"
    assert (rows[0].number, rows[0].line) == (1, 2)
    assert source.default_job == {}
    assert render_id(None, rows[6], source.id_column) == "7"


def test_column_with_spaces_and_brackets(inputs: Path) -> None:
    source = open_source(SourceSpec(file="penguins-raw.csv"), inputs)
    template = compile_template('{{ row["Culmen Length (mm)"] }} mm', where="job.prompt")
    assert template.names == {"Culmen Length (mm)"}
    assert [template.render(row.values) for row in rows_of(source)][:2] == ["39.1 mm", "39.5 mm"]


def test_cars_keep_their_types(inputs: Path) -> None:
    rows = rows_of(open_source(SourceSpec(file="cars.json"), inputs))
    assert len(rows) == 406
    assert (rows[0].line, rows[1].line) == (2, 13)
    power = compile_template({"power": "{{ Horsepower }}"}, where="job")
    assert power.render(rows[0].values) == {"power": 130}
    assert any(power.render(row.values) == {"power": None} for row in rows)


def test_vicuna_first_turn(inputs: Path) -> None:
    source = open_source(SourceSpec(file="vicuna_question.jsonl"), inputs)
    rows = rows_of(source)
    assert len(rows) == 80
    assert source.id_column is None
    prompt = compile_template("{{ turns[0] }}", where="job.prompt")
    assert prompt.render(rows[0].values) == "How can I improve my time management skills?"
    assert render_id(compile_template("{{ question_id }}", where="source.id"), rows[4]) == "5"


def test_openai_batch_file_is_its_own_template(inputs: Path) -> None:
    source = open_source(SourceSpec(file="demo_batch_10.jsonl"), inputs)
    rows = rows_of(source)
    assert (source.native, source.id_column, len(rows)) == ("openai-batch", "custom_id", 10)
    job = compile_template(source.default_job, where="job").render(rows[0].values)
    assert job == {"body": rows[0].values["body"], "endpoint": "/v1/chat/completions"}
    assert render_id(None, rows[0], source.id_column) == "demo-001"


def test_folder_of_articles(inputs: Path) -> None:
    source = open_source(SourceSpec(file="help_articles"), inputs)
    rows = rows_of(source)
    assert [row.values["id"] for row in rows] == [f"help_{n}" for n in range(10)]
    assert source.id_column == "id"
    assert source.count_hint == 10
    first = rows[0].values
    assert first["text"].startswith("title: How to Change Your Password")
    assert first["size"] == Path(first["path"]).stat().st_size
    without = rows_of(open_source(SourceSpec(file="help_articles"), inputs, with_text=False))
    assert "text" not in without[0].values


def test_folder_skips_hidden_and_names_clashing_stems(tmp_path: Path) -> None:
    for name in ("b.txt", "B.md", "a.txt", ".hidden"):
        (tmp_path / name).write_text(name)
    (tmp_path / "scan.pdf").write_bytes(b"%PDF\xff\x00")
    (tmp_path / "sub").mkdir()
    rows = rows_of(open_source(SourceSpec(file="."), tmp_path))
    assert [row.values["id"] for row in rows] == ["B.md", "a", "b.txt", "scan"]
    assert "text" not in rows[3].values


def test_empty_folder_has_no_rows(tmp_path: Path) -> None:
    (problem,) = problems_of(open_source(SourceSpec(file=str(tmp_path)), Path("/")))
    assert "no rows" in problem.message


@pytest.mark.parametrize(
    ("original", "name"),
    [
        ("penguins.csv", "penguins.csv.gz"),
        ("cars.json", "cars.json.gz"),
        ("vicuna_question.jsonl", "vicuna.jsonl.gz"),
        ("vicuna_question.jsonl", "vicuna.ndjson.gz"),
        ("vicuna_question.jsonl", "lines-called.json"),
        ("vicuna_question.jsonl", "no-ending"),
    ],
)
def test_other_wrappings_give_the_same_rows(inputs: Path, source: Write, original: str, name: str) -> None:
    plain = (inputs / original).read_bytes()
    wrapped = source(name, gzip.compress(plain) if name.endswith(".gz") else plain)
    assert rows_of(wrapped) == rows_of(open_source(SourceSpec(file=original), inputs))


@pytest.mark.parametrize(
    "name", ["penguins.csv", "cars.json", "vicuna_question.jsonl", "demo_batch_10.jsonl"]
)
@pytest.mark.parametrize("zipped", [False, True])
def test_standard_input(inputs: Path, name: str, zipped: bool) -> None:
    content = (inputs / name).read_bytes()
    stream = io.BytesIO(gzip.compress(content) if zipped else content)
    source = open_source(SourceSpec(file="-"), inputs, stdin=stream)
    expected = rows_of(open_source(SourceSpec(file=name), inputs))
    assert rows_of(source) == expected
    assert rows_of(source) == expected, "a second pass reads the same"


def test_standard_input_of_tabs_and_of_two_readers_at_once(tmp_path: Path) -> None:
    stream = io.BytesIO(b"id\tx\n1\ta\n2\tb\n")
    source = open_source(SourceSpec(file="-"), tmp_path, stdin=stream)
    pairs = list(zip(source.rows(), source.rows(), strict=True))
    assert [left for left, _ in pairs] == [right for _, right in pairs]
    assert [row.values for row in rows_of(source)] == [{"id": "1", "x": "a"}, {"id": "2", "x": "b"}]


def test_limit_comes_after_the_shuffle(inputs: Path) -> None:
    def numbers(**spec: object) -> list[int]:
        source = open_source(SourceSpec(file="penguins.csv", **spec), inputs)  # type: ignore[arg-type]
        return [row.number for row in rows_of(source)]

    assert numbers(limit=3) == [1, 2, 3]
    shuffled = numbers(limit=5, shuffle=True, seed=7)
    assert shuffled == numbers(limit=5, shuffle=True, seed=7)
    assert shuffled != numbers(limit=5, shuffle=True, seed=8)
    assert max(shuffled) > 5
    assert sorted(numbers(shuffle=True)) == list(range(1, 345))
    with pytest.raises(BadInput, match=r"source\.limit: expected 1 or more"):
        numbers(limit=0)


def test_messages_rows_imply_their_template(source: Write) -> None:
    opened = source("chat.jsonl", '{"messages": [{"role": "user", "content": "hi"}]}\n')
    assert opened.native == "messages"
    (row,) = rows_of(opened)
    rendered = compile_template(opened.default_job, where="job").render(row.values)
    assert rendered == {"messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("indent", [None, 2])
def test_anthropic_requests(source: Write, indent: int | None) -> None:
    content = {"requests": [{"custom_id": "a", "params": {"model": "m"}}, {"custom_id": "b", "params": {}}]}
    opened = source("batch.json", json.dumps(content, indent=indent))
    assert opened.native == "anthropic-batch"
    assert [row.values["custom_id"] for row in rows_of(opened)] == ["a", "b"]


def test_one_object_is_one_row(source: Write) -> None:
    assert [row.values for row in rows_of(source("one.json", '\ufeff{\n "a": 1\n}\n'))] == [{"a": 1}]
    assert [row.values for row in rows_of(source("line.json", '{"a": 1}'))] == [{"a": 1}]


def test_array_faults_name_their_line_and_spare_the_others(source: Write) -> None:
    opened = source("rows.json", '[\n{"a": 1},\n{"b": {"c": [NaN]}},\n{"a": 1, "a": 2},\n7,\n{"a": 3}\n]')
    assert [row.values for row in rows_of(opened)] == [{"a": 1}, {"a": 3}]
    said = [str(problem) for problem in problems_of(opened)]
    assert said == [
        "rows.json:3: b.c[0]: NaN is no number that JSON can carry",
        'rows.json:4: key "a" appears twice in one object',
        "rows.json:5: expected a JSON object, got a number",
    ]


@pytest.mark.parametrize(
    ("content", "line", "word"),
    [
        ('[{"a": 1}\n{"a": 2}]', 2, "expected"),
        ('[{"a": 1},\n', 2, "not JSON"),
        ('[{"a": 1}]\nmore', 2, "more text"),
        ("[" * 100_000, 1, "deep"),
        ('[\n{"a": ' + "9" * 5000 + "}]", 2, "4,300 digits"),
        ('[\n{"a": "caf\udce9"}]', 2, "UTF-8"),
    ],
)
def test_broken_arrays(source: Write, content: str, line: int, word: str) -> None:
    problem = problems_of(source("rows.json", content.encode("utf-8", "surrogateescape")))[-1]
    assert problem.fatal
    assert problem.line == line
    assert word in problem.message


def test_a_hundred_thousand_nested_lists_on_a_line(source: Write) -> None:
    opened = source("deep.jsonl", '{"a": 1}\n{"a": ' + "[" * 100_000 + "]" * 100_000 + "}\n")
    assert len(rows_of(opened)) == 1
    assert "deep" in problems_of(opened)[0].message


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_csv_line_ends(source: Write, end: str) -> None:
    opened = source("a.csv", "\ufeff" + end.join(["id,text", 'a,"x, ""y"""', "", "b,z", ""]))
    assert opened.columns == ["id", "text"]
    rows = rows_of(opened)
    assert [row.values for row in rows] == [{"id": "a", "text": 'x, "y"'}, {"id": "b", "text": "z"}]
    assert [row.line for row in rows] == [2, 4]
    assert [row.number for row in rows] == [1, 2]


def test_csv_rows_over_many_lines_keep_true_line_numbers(source: Write) -> None:
    opened = source(
        "a.csv", 'id,text\na,"one\ntwo\nthree"\nb\nc,caf\udce9\nd,ok\n'.encode("utf-8", "surrogateescape")
    )
    assert [(row.line, row.values["id"]) for row in rows_of(opened)] == [(2, "a"), (7, "d")]
    said = [str(problem) for problem in problems_of(opened)]
    assert said[0] == 'a.csv:5: 1 cell, the header has 2; nothing for "text"'
    assert said[1].startswith("a.csv:6: not UTF-8 (byte 0xe9 at character 6)")


def test_csv_unnamed_columns_get_names(source: Write) -> None:
    opened = source("pandas.csv", ",a\n0,x\n")
    assert opened.columns == ["column_1", "a"]


def test_header_alone_has_no_rows(source: Write) -> None:
    assert "no rows" in problems_of(source("a.csv", "id,text\n"))[0].message


def test_large_cells_are_read(source: Write) -> None:
    text = "x" * 500_000
    assert rows_of(source("a.csv", f"id,text\n1,{text}\n"))[0].values["text"] == text


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("missing.csv", "no such file"),
        ("rows.docx", "no form of source"),
        ("rows.jsnl", 'did you mean ".jsonl"'),
        ("", "empty"),
        ("a\0b.csv", "null (byte|character)"),
    ],
)
def test_refused_at_once(tmp_path: Path, file: str, words: str) -> None:
    if "rows" in file:
        (tmp_path / file).write_text("x")
    with pytest.raises(BadInput, match=words):
        open_source(SourceSpec(file=file), tmp_path)


def test_pipes_and_devices_are_refused_without_a_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    for file in ("pipe.jsonl", "/dev/zero"):
        with pytest.raises(BadInput, match="not a regular file"):
            open_source(SourceSpec(file=file), tmp_path)


def test_paths_stay_inside_unless_widened(tmp_path: Path) -> None:
    base = tmp_path / "batch"
    base.mkdir()
    (tmp_path / "secret.csv").write_text("id\n1\n")
    (base / "link.csv").symlink_to(tmp_path / "secret.csv")
    (base / "folder").mkdir()
    (base / "folder" / "a.txt").symlink_to(tmp_path / "secret.csv")
    for file in ("../secret.csv", str(tmp_path / "secret.csv"), "link.csv", "~/x.csv"):
        with pytest.raises(BadInput, match="leads out of"):
            open_source(SourceSpec(file=file), base, allow_outside=False)
    assert len(rows_of(open_source(SourceSpec(file="../secret.csv"), base))) == 1
    inside = open_source(SourceSpec(file="folder"), base, allow_outside=False)
    assert "leads out of" in problems_of(inside)[0].message


def test_a_torn_gzip_ends_in_a_problem(source: Write) -> None:
    lines = b"".join(b'{"a": "%x"}\n' % random.Random(n).getrandbits(256) for n in range(20_000))
    opened = source("a.jsonl.gz", gzip.compress(lines)[:-2000])
    problem = problems_of(opened)[-1]
    assert "gzip" in problem.message
    assert len(rows_of(opened)) > 1000


@pytest.mark.parametrize(
    ("name", "start", "words"),
    [
        ("bomb.jsonl.gz", b"0", "longer than"),
        ("bomb.csv.gz", b"a,b\n0", "longer than"),
        ("bomb.json.gz", b"[", "bring it as JSON Lines"),
    ],
)
def test_a_line_without_end_stops_early_and_small(
    source: Write, monkeypatch: pytest.MonkeyPatch, name: str, start: bytes, words: str
) -> None:
    monkeypatch.setattr(inflation, "RATIO_LIMIT", 10_000)
    zipped = io.BytesIO()
    with gzip.GzipFile(fileobj=zipped, mode="wb") as stream:
        stream.write(start)
        for _ in range(68):
            stream.write(b" " * 1_000_000)
    content = zipped.getvalue()
    tracemalloc.start()
    try:
        assert words in problems_of(source(name, content))[0].message
        assert tracemalloc.get_traced_memory()[1] < 250_000_000
    finally:
        tracemalloc.stop()


def test_a_source_that_inflates_without_end_is_told_before_its_rows_are_read(source: Write) -> None:
    bomb = gzip.compress(b'{"id": "a", "text": "the same again and again"}\n' * 1_500_000)
    with pytest.raises(BadInput, match=r"a.jsonl.gz: more than 64 MB of text .* with gunzip"):
        source("a.jsonl.gz", bomb)
    with pytest.raises(BadInput, match=r"standard input: more than 64 MB of text"):
        open_source(SourceSpec(file="-"), Path(), stdin=io.BytesIO(bomb))


def test_one_that_begins_honestly_is_told_where_it_stops(
    source: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inflation, "TEXT_LIMIT", 200_000)
    monkeypatch.setattr(inputs, "TEXT_LIMIT", 20_000)  # as far as is looked ahead
    honest = b"".join(b'{"id": "%x"}\n' % random.Random(n).getrandbits(256) for n in range(500))
    opened = source("a.jsonl.gz", gzip.compress(honest + b'{"id": "again"}\n' * 200_000))
    (problem,) = problems_of(opened)
    assert problem.fatal
    assert "at over 100 times the packed size" in problem.message


def test_what_packs_well_but_is_small_or_packs_as_tables_do_is_read(source: Write) -> None:
    small = gzip.compress(b'{"id": "a"}\n' * 100_000, 9)
    assert len(rows_of(source("a.jsonl.gz", small))) == 100_000


def test_a_file_that_vanishes_ends_in_a_problem(source: Write, tmp_path: Path) -> None:
    opened = source("a.csv", "id\n1\n")
    (tmp_path / "a.csv").unlink()
    assert "cannot be read" in problems_of(opened)[0].message


@pytest.mark.parametrize("name", ["big.jsonl", "big.csv"])
def test_memory_does_not_grow_with_the_file(source: Write, name: str) -> None:
    line = '{"id": "%d", "text": "' + "x" * 400 + '"}\n' if name == "big.jsonl" else "%d," + "x" * 400 + "\n"
    head = "" if name == "big.jsonl" else "id,text\n"
    opened = source(name, head + "".join(line % n for n in range(20_000)))
    tracemalloc.start()
    try:
        assert sum(1 for _ in opened.rows()) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 1_500_000
    finally:
        tracemalloc.stop()


def test_random_damage_never_raises(inputs: Path, tmp_path: Path) -> None:
    chance = random.Random(5)
    for name in ("penguins.csv", "cars.json", "demo_batch_10.jsonl"):
        good = (inputs / name).read_bytes()[:4000]
        for _ in range(150):
            bad = bytearray(good)
            for _ in range(chance.randrange(1, 6)):
                bad[chance.randrange(len(bad))] = chance.randrange(256)
            (tmp_path / name).write_bytes(bad[: chance.randrange(1, len(bad))])
            with contextlib.suppress(BadInput):
                list(open_source(SourceSpec(file=name), tmp_path).rows())


def test_long_lines_are_not_held_to_learn_their_columns(source: Write) -> None:
    lines = [json.dumps({"id": n, "text": "x" * 1_000_000}) for n in range(30)]
    content = "\n".join(lines).encode()
    tracemalloc.start()
    try:
        opened = source("rows.jsonl", content)
        assert tracemalloc.get_traced_memory()[1] < 15_000_000
    finally:
        tracemalloc.stop()
    assert opened.columns == ["id", "text"]
    assert len(rows_of(opened)) == 30
