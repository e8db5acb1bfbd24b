"""Documents and citations on the command line."""

from __future__ import annotations

from collections.abc import Callable

from batchtui.demo.server import DemoServer
from tests.cli.cli_help import Cli
from tests.sample_files import pdf

BATCH = """
name = "bills"
backend = "anthropic"
[source]
file = "in/list.csv"
[job]
model = "demo-small"
prompt = "Read {{ id }}"
file = "in/{{ path }}"
citations = true
"""


def test_documents_are_sent_cited_and_shown(cli: Cli, demo_server: Callable[..., DemoServer]) -> None:
    demo_server().write_config(cli.folder / "config.toml")
    (cli.folder / "in").mkdir()
    (cli.folder / "in" / "list.csv").write_text("id,path\na,bill.pdf\nb,gone.pdf\n")
    (cli.folder / "in" / "bill.pdf").write_bytes(pdf(["Total to pay: 1,204.50 euro by the end of May"]))
    (cli.folder / "bills.toml").write_text(BATCH)
    refused = cli("check", "bills.toml")
    assert refused.code == 2
    assert "in/list.csv:3: job.file: " in refused.err
    assert "gone.pdf: there is no such file" in refused.err
    (cli.folder / "in" / "gone.pdf").write_bytes(pdf(["It was here all the time, one folder up"]))
    assert cli("run", "bills.toml", "--yes", "--trust").code == 0
    shown = cli("show", "bills", "a").out
    assert "    ↳ [1] bill.pdf, page 1: “Total to pay: 1,204.50 euro by the end of May”" in shown
    result = cli("results", "bills", "--format", "jsonl").documents[0]
    assert result["citations"][0]["page"] == 1
    assert result["citations"][0]["metadata"]["type"] == "page_location"
