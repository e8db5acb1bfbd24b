"""Structured output by the command line: a batch file with a schema, what is printed of it, and asking again."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable

import pytest

from batchtui.demo.server import DemoServer
from tests.cli.cli_help import Cli

Start = Callable[..., DemoServer]
SCHEMA = {
    "type": "object",
    "properties": {
        "total": {"type": "number"},
        "seller": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    },
    "required": ["total", "seller"],
}
BATCH = """
name = "invoices"
backend = "{backend}"
[source]
file = "invoices.jsonl"
[job]
model = "demo-small"
prompt = "Read {{{{ text }}}}"
schema = "invoice.schema.json"
[output]
dir = "out"
"""


@pytest.fixture
def invoices(cli: Cli, with_demo: Start) -> Callable[[str], Cli]:
    def write(backend: str) -> Cli:
        with_demo()
        rows = [
            {"id": "a", "text": "the first"},
            {"id": "b", "text": "[[fenced]]"},
            {"id": "c", "text": "[[invalid]]"},
        ]
        (cli.folder / "invoices.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (cli.folder / "invoice.schema.json").write_text(json.dumps(SCHEMA))
        (cli.folder / "invoices.toml").write_text(BATCH.format(backend=backend))
        return cli

    return write


@pytest.mark.parametrize("backend", ["chat", "openai"])
def test_from_a_batch_file_to_values_and_asked_again(invoices: Callable[[str], Cli], backend: str) -> None:
    cli = invoices(backend)
    ran = cli("run", "invoices.toml", "--json")
    assert ran.code == 1, ran.err
    (status,) = ran.documents
    assert (status["completed"], status["invalid"], status["failed"]) == (2, 1, 0)

    first, mended, invalid = cli("results", "invoices", "--format", "jsonl").documents
    assert isinstance(first["parsed_response"]["total"], float)
    assert (first["status"], first["repaired"]) == ("completed", None)
    assert mended["repaired"] == "the code fence around it was taken off"
    assert (invalid["status"], invalid["error_kind"]) == ("invalid", "schema")
    assert "is not of type 'object'" in invalid["error"]
    shown = cli("show", "invoices", "b").out
    assert "parsed:" in shown
    assert "mended" in shown
    assert (
        json.loads((cli.folder / "out" / "a.json").read_text())["parsed_response"] == first["parsed_response"]
    )

    (cli.folder / "invoice.schema.json").unlink()
    again = cli("retry", "invoices", "--status", "invalid")
    assert again.code in (0, 1), again.err
    assert cli("resume", "invoices").code == 0
    results = cli("results", "invoices", "--format", "jsonl").documents
    assert [result["status"] for result in results] == ["completed"] * 3
    assert [result["attempts"] for result in results] == [1, 1, 2]


def test_fields_of_the_value_are_columns(invoices: Callable[[str], Cli]) -> None:
    cli = invoices("chat")
    cli("run", "invoices.toml")
    fields = "job_id,parsed_response.total,parsed_response.seller.name"
    done = cli("export", "invoices", "--out", "values.csv", "--fields", fields)
    assert done.code == 0, done.err
    with (cli.folder / "values.csv").open(newline="") as file:
        head, first, mended, invalid = csv.reader(file)
    assert head == fields.split(",")
    assert float(first[1])
    assert first[2]
    assert mended[2]
    assert invalid == ["c", "", ""]
    where = cli("results", "invoices", "--where", "parsed_response.total>=0", "--format", "jsonl")
    assert [result["job_id"] for result in where.documents] == ["a", "b"]


def test_a_wrong_schema_sends_nothing(cli: Cli, with_demo: Start, invoices: Callable[[str], Cli]) -> None:
    invoices("chat")
    (cli.folder / "invoice.schema.json").write_text('{"type": "object",\n "required": "total"}')
    ran = cli("run", "invoices.toml")
    assert ran.code == 2
    assert "job.schema: invoice.schema.json: $.required: 'total' is not of type 'array'" in ran.err
    checked = cli("check", "invoices.toml", "--json")
    assert checked.code == 2
    assert checked.documents[0]["problems"][0]["key"] == "job.schema"
    assert cli("list", "--json").out == ""
