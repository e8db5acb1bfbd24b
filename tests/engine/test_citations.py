"""Citations end to end: documents that may be cited, answers that cite them, and fields of a schema borne out by them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.config.shape import BackendConfig
from batchtui.demo.server import DemoServer
from batchtui.engine.plan.planning import plan
from batchtui.model import BatchSpec, Json, Result, SourceSpec
from tests import extras
from tests.engine.bench import Bench
from tests.sample_files import PNG, docx, pdf

Served = Callable[..., tuple[Bench, DemoServer]]
NOTES = "The meeting was on 5 March 2026. Nine people came. Nobody was late."
PAGES = ["Invoice INV-1041 of Acme Corporation", "Total to pay: 1,204.50 euro by May"]
JOB: dict[str, Json] = {
    "model": "demo-small",
    "prompt": "Summarise {{ id }}",
    "file": "{{ path }}",
    "citations": True,
}
INVOICE: dict[str, Json] = {
    "type": "object",
    "properties": {
        "vendor_name": {"type": "string"},
        "total_amount": {"type": "number"},
        "due_date": {"type": "string", "format": "date"},
        "paid": {"type": "boolean"},
    },
    "required": ["vendor_name", "total_amount", "due_date", "paid"],
    "additionalProperties": False,
}


def spec(folder: Path, files: dict[str, bytes], backend: str = "anthropic", **job: Json) -> BatchSpec:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    rows = "".join(f"{name.partition('.')[0]},{name}\n" for name in files)
    (folder / "list.csv").write_text(f"id,path\n{rows}")
    source = SourceSpec(file="list.csv")
    return BatchSpec(name="cited", backend=backend, source=source, job=JOB | job)


def faults(bench: Bench, made: BatchSpec) -> list[str]:
    flight = plan(made, bench.folder_path, bench.backends).preflight
    return [str(problem) for problem in flight.problems if problem.fatal]


def passage(result: Result, citation: Json) -> str:
    return (result.raw_response or "")[slice(*citation["metadata"]["at"])]


def test_texts_and_pages_are_cited_with_all_their_fields(served: Served) -> None:
    bench, _ = served()
    files = {"notes.txt": NOTES.encode(), "bill.pdf": pdf(PAGES, packed=True), "letter.docx": docx(NOTES)}
    folder = bench.run(spec(bench.folder_path, files))
    notes, bill, letter = (folder.result(n) for n in range(3))
    assert [result.status for result in (notes, bill, letter)] == ["completed"] * 3
    assert notes.citations
    assert bill.citations
    assert letter.citations
    for citation in notes.citations:
        about = citation["metadata"]
        assert about["type"] == "char_location"
        assert NOTES[about["start_char_index"] : about["end_char_index"]] == citation["text"]
        assert (citation["source"], about["document_index"]) == ("notes.txt", 0)
        assert passage(notes, citation).strip()
    for citation in bill.citations:
        about = citation["metadata"]
        assert about["type"] == "page_location"
        assert citation["text"] == PAGES[citation["page"] - 1]
        assert about["end_page_number"] == citation["page"] + 1
    assert letter.citations[0]["source"] == "letter.docx"
    assert "Summarise notes" in (notes.raw_response or "")
    assert notes.citation_mappings is None


@pytest.mark.parametrize("backend", ["anthropic", "claude-chat"])
def test_fields_of_a_schema_are_borne_out(served: Served, backend: str) -> None:
    bench, server = served()
    table = {"kind": "chat", "api": "anthropic", "base_url": server.backends["anthropic"]["base_url"]}
    bench.config.backends["claude-chat"] = BackendConfig(
        name="claude-chat", kind="chat", table=table, origin="test"
    )
    folder = bench.run(spec(bench.folder_path, {"bill.pdf": pdf(PAGES)}, backend, schema=INVOICE))
    result = folder.result(0)
    assert result.status == "completed", result.error
    assert result.repaired is None
    assert set(result.parsed_response) == set(INVOICE["properties"])
    mappings = result.citation_mappings
    assert set(mappings) == {"vendor_name", "total_amount", "due_date"}  # a boolean cannot be looked up
    for name, found in mappings.items():
        assert [one["confidence"] for one in found] == ["high"], name
        assert found[0]["page"] in (1, 2)
        assert "label" in found[0]["match_reason"]
        assert passage(result, found[0]) == str(result.parsed_response[name])
    stored = json.loads((folder.path / "results.jsonl").read_text().splitlines()[-1])
    assert stored["citation_mappings"].keys() == mappings.keys()


def test_a_field_that_nothing_bears_out_is_named_in_the_note(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    from batchtui.demo.kinds.anthropic import citations

    made = citations._fields

    def without_the_last(*given: Json) -> list[Json]:
        blocks = made(*given)
        cited = [block for block in blocks if block["citations"]]
        cited[-1]["citations"] = None
        return blocks

    monkeypatch.setattr(citations, "_fields", without_the_last)
    bench, _ = served()
    folder = bench.run(spec(bench.folder_path, {"bill.pdf": pdf(PAGES)}, schema=INVOICE))
    result = folder.result(0)
    assert set(result.citation_mappings) == {"vendor_name", "total_amount"}
    assert (result.status, result.note) == ("completed", "no citation fits 1 of 3 fields: due_date")


def test_what_cannot_be_cited_is_refused_before_sending(served: Served) -> None:
    bench, server = served()
    folder = bench.folder_path
    nested = INVOICE | {"properties": {"address": {"type": "object", "properties": {"street": {}}}}}
    assert (
        'must be flat: "address" is nested'
        in faults(bench, spec(folder, {"bill.pdf": pdf(PAGES)}, schema=nested))[0]
    )
    assert "images cannot be cited" in faults(bench, spec(folder, {"dot.png": PNG}))[0]
    assert "need a file to cite" in faults(bench, spec(folder, {"bill.pdf": b"x"}, file=None))[0]
    assert "chat cites nothing" in faults(bench, spec(folder, {"bill.pdf": pdf(PAGES)}, "chat"))[0]
    extras.require("docs")
    scan = faults(bench, spec(folder, {"scan.pdf": pdf(["", ""])}))
    assert "scan.pdf: holds no text (a scan?), so nothing in it can be cited" in scan[0]
    assert not faults(bench, spec(folder, {"scan.pdf": pdf(["", ""])}, citations=False))
    assert (
        "601 pages of PDF; anthropic takes 600"
        in faults(bench, spec(folder, {"long.pdf": pdf(["x"] * 601)}))[0]
    )
    assert not server.ledger()


def test_without_pypdf_sizes_alone_are_checked_and_that_is_said_once(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, _ = served()
    monkeypatch.setattr("batchtui.engine.plan.compose.attaching.available", lambda: False)
    made = spec(bench.folder_path, {"one.pdf": pdf([""]), "two.pdf": pdf([""])})
    flight = plan(made, bench.folder_path, bench.backends).preflight
    assert not flight.stopped
    said = [problem.message for problem in flight.problems if "batchtui[docs]" in problem.message]
    assert said == ["pages and text of PDFs are not checked: install batchtui[docs]"]


def test_an_answer_that_does_not_fit_is_asked_again_with_its_citations(served: Served) -> None:
    bench, _ = served()
    made = spec(
        bench.folder_path, {"bill.pdf": pdf(PAGES)}, schema=INVOICE, prompt="[[invalid]] Read {{ id }}"
    )
    folder = bench.run(made)
    wrong = folder.result(0)
    assert (wrong.status, wrong.error_kind) == ("invalid", "schema")
    assert wrong.citations
    assert wrong.cost_usd
    bench.ask(folder, "retry", status=["invalid"])
    again = bench.drive(folder.id).result(0)
    assert (again.status, again.attempts) == ("completed", 2)
    assert set(again.citation_mappings) == {"vendor_name", "total_amount", "due_date"}
