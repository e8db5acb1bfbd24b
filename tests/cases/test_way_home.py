"""Files and batches of servers whose ids are long, and whose uploads are not ready at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.case_help import Case


@pytest.mark.parametrize("length", ["348", "1200"])
def test_a_result_file_with_a_long_id_is_read(case: Callable[[str], Case], length: str) -> None:
    one = case("batch-long-file-id")
    with one.serve("batch_server.py", "lines.jsonl", "--output-id-length", length):
        ran = one.run("run", "requests.jsonl", "--backend", "batchcase", "--yes", "--out", "out.jsonl")
    assert ran.code == 0, ran.err
    assert {row["status"] for row in one.rows()} == {"completed"}


def test_an_upload_that_is_not_ready_is_waited_for(case: Callable[[str], Case]) -> None:
    one = case("batch-upload-not-ready")
    with one.serve("batch_server.py", "lines.jsonl", "--ready-after", "2") as server:
        ran = one.run("run", "requests.jsonl", "--backend", "batchcase", "--yes", "--out", "out.jsonl")
        paths = [call["path"] for call in server.calls]
    assert ran.code == 0, ran.err
    assert {row["status"] for row in one.rows()} == {"completed"}
    assert paths == ["files", "batches"]
