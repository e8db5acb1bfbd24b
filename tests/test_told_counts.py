"""What is counted in a sentence is one or many: `counted` says which, and no text has a bare plural behind a number."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import batchtui
from batchtui import Batch

SOURCE = Path(batchtui.__file__).parent
PLURAL = re.compile(
    r" (jobs|results|rows|batches|submissions|runs|scenarios|files|branches|columns|causes|models|flows)\b"
)
MANY = ("MOST_", "rows 1 to", "len(found)} batches are named", "batches live", "batches are not finished")
"""Where there is more than one in any case."""
ELSEWHERE = ("demo", "testing")
"""Their texts imitate those of services, or are for whoever writes a package."""


def bare(tree: ast.AST) -> Iterator[str]:
    """Texts with a number and a plural behind it, outside of `one if … else many`; `5 of 344 jobs` has many."""
    chosen = {id(part) for node in ast.walk(tree) if isinstance(node, ast.IfExp) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr) or id(node) in chosen:
            continue
        for before, number, behind in zip([None, *node.values], node.values, node.values[1:], strict=False):
            counts = isinstance(number, ast.FormattedValue) and isinstance(behind, ast.Constant)
            many = isinstance(before, ast.Constant) and str(before.value).endswith(" of ")
            many = many or any(words in ast.unparse(node) for words in MANY)
            if counts and not many and isinstance(behind, ast.Constant) and PLURAL.match(str(behind.value)):
                yield ast.unparse(node)


def test_no_text_says_one_jobs() -> None:
    found: dict[str, str] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        if path.relative_to(SOURCE).parts[0] not in ELSEWHERE:
            found |= {
                text: str(path.relative_to(SOURCE)) for text in bare(ast.parse(path.read_text("utf-8")))
            }
    assert found == {}


def test_a_bare_plural_would_be_found() -> None:
    assert list(bare(ast.parse('f"{len(found)} jobs wait"')))
    assert not list(bare(ast.parse('f"{done} of {total:,} jobs"')))


def test_a_batch_in_python_counts_its_jobs() -> None:
    batch = Batch("birds", backend="local")
    assert repr(batch) == "<Batch 'birds': 0 jobs>"
    batch.add_job(command=["true"])
    assert repr(batch) == "<Batch 'birds': 1 job>"
    batch.add_job(command=["true"])
    assert repr(batch) == "<Batch 'birds': 2 jobs>"
