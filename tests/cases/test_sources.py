"""Tables and sources as other tools leave them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.cases.case_help import Case

MakeCase = Callable[[str], Case]
REQUEST = {
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": {"model": "m", "messages": [{"role": "user", "content": "x"}]},
}


def checked(it: Case, *arguments: str) -> tuple[int, dict]:
    ran = it.run("check", *arguments, "--json", OPENAI_API_KEY="none")
    return ran.code, ran.documents[0]


def test_a_stray_first_line_takes_a_batch_file_no_form(case: MakeCase) -> None:
    _, found = checked(case("source-stray-first-line"), "requests.jsonl", "--backend", "openai")
    (problem,) = found["problems"]
    assert (problem["line"], problem["row"], found["jobs"]) == (1, 1, 2)


@pytest.mark.parametrize("stray", ["{}", "null", "[]", "# made by hand", '{"note": "x"}', '"text"'])
@pytest.mark.parametrize("place", [0, 1, 3])
@pytest.mark.parametrize("name", ["requests.jsonl", "requests.json", "requests"])
def test_a_stray_line_is_one_problem_wherever_it_stands(
    case: MakeCase, stray: str, place: int, name: str
) -> None:
    it = case("stray")
    lines = [json.dumps({"custom_id": f"r{n}", **REQUEST}) for n in range(3)]
    lines.insert(place, stray)
    it.folder.joinpath(name).write_text("\n".join(lines) + "\n")
    code, found = checked(it, name, "--backend", "openai")
    (problem,) = found["problems"]
    assert (code, problem["line"], found["jobs"]) == (2, place + 1, 3)


def test_whole_floats_are_ids(case: MakeCase) -> None:
    ran = case("sheet-whole-floats").run("run", "case.toml", "--trust", "--out", "out.jsonl")
    assert ran.code == 0


def test_an_export_to_parquet_keeps_types(case: MakeCase) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra `parquet`")
    it = case("sheet-typed-export")
    assert it.run("run", "case.toml", "--trust").code == 0
    assert it.run("results", "case", "--format", "parquet", "--out", "out.parquet").code == 0
    schema = parquet.read_schema(it.folder / "out.parquet")
    found = [str(schema.field(f"row.{name}").type) for name in ("id", "x", "ok")]
    assert found == ["int64", "double", "bool"]
    assert parquet.read_table(it.folder / "out.parquet").column("row.id").to_pylist() == [2**53 + 1, 2]


def test_excels_sep_line_is_no_header(case: MakeCase) -> None:
    code, found = checked(case("sheet-sep-line"), "case.toml")
    assert (code, found["jobs"], found["columns"], found["problems"]) == (0, 1, ["id", "city"], [])


def test_settings_of_a_source_come_from_the_line_too(case: MakeCase) -> None:
    it = case("settings")
    text = "id;city;price\n;;\n0;units;EUR\n1;Zürich;1,5\n2;Genf;12,5\n3;Genf;99\n"
    it.folder.joinpath("rows.csv").write_bytes(text.encode("cp1252"))
    said = ["separator=;", "decimal=,", "encoding=cp1252", "skip=2", "where=city = Genf", "limit=1"]
    sets = [part for one in said for part in ("--set", f"source.{one}")]
    job = ["--backend", "local", "--set", 'job.command=["echo", "{{ city }} {{ price }}"]']
    code, found = checked(it, "rows.csv", *job, *sets)
    assert (code, found["jobs"]) == (0, 1)
    assert found["first"]["command"] == ["echo", "Genf 12.5"]
    assert [(one["key"], one["fatal"]) for one in found["problems"]] == [("source.where", False)]
    ran = it.run("check", "rows.csv", *job, "--set", "source.seperator=;")
    assert ran.code == 2
    assert 'did you mean "separator"' in ran.err


TALK = [{"from": "human", "value": "two and two"}, {"from": "gpt", "value": "four"}]


@pytest.mark.parametrize("as_text", [False, True])
def test_a_column_that_holds_a_talk_is_messages(case: MakeCase, as_text: bool) -> None:
    it = case("talks")
    row = {"id": "a", "talk": json.dumps(TALK) if as_text else TALK, "system_prompt": "Be brief."}
    it.folder.joinpath("rows.jsonl").write_text(json.dumps(row) + "\n")
    model = ["--backend", "openai", "--set", "job.model=gpt-4o-mini"]
    code, found = checked(it, "rows.jsonl", *model, "--set", "job.messages={{ talk }}")
    assert (code, found["problems"], found["unused"]) == (0, [], ["system_prompt"])
    assert [one["role"] for one in found["first"]["messages"]] == ["user", "assistant"]
    code, found = checked(it, "rows.jsonl", *model, "--set", "job.prompt={{ talk }}")
    (problem,) = found["problems"]
    assert (code, problem["fatal"], problem["line"]) == ((0, False, 1) if as_text else (2, True, 1))
    assert 'write messages = "{{ talk }}" in place of prompt' in problem["message"]
    assert "system_prompt" in it.run("check", "rows.jsonl", *model, OPENAI_API_KEY="none").out


def test_a_talk_that_cannot_be_read_names_its_row(case: MakeCase) -> None:
    it = case("talks")
    rows = [
        {"id": 1, "talk": TALK},
        {"id": 2, "talk": "[{]"},
        {"id": 3, "talk": [{"from": "x", "value": "y"}]},
    ]
    it.folder.joinpath("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = ["--backend", "openai", "--set", "job.model=gpt-4o-mini"]
    code, found = checked(it, "rows.jsonl", *model, "--set", "job.messages={{ talk }}")
    assert code == 2
    told = [(one["line"], one["key"]) for one in found["problems"]]
    assert told == [(2, "job.messages"), (3, "job.messages[0].from")]


def test_check_says_which_column_may_name_the_rows(case: MakeCase) -> None:
    it = case("ids")
    it.folder.joinpath("rows.jsonl").write_text('{"question_id": 81, "text": "x"}\n')
    job = ["rows.jsonl", "--backend", "local", "--set", 'job.command=["echo", "{{ text }}"]']
    said = it.run("check", *job).out
    assert 'id = "{{ question_id }}" under [source]' in said
    assert "not used     question_id" in said
    assert "under [source]" not in it.run("check", *job, "--set", "source.id={{ question_id }}").out
