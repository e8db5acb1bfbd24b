from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batchtui.model import SourceSpec
from batchtui.sources.readers import open_source
from batchtui.sources.source import Source
from tests.sources.source_help import Write


@pytest.fixture
def inputs() -> Path:
    return Path(__file__).parent.parent / "data" / "inputs"


@pytest.fixture
def source(tmp_path: Path) -> Write:
    """Writes a file and opens it as a source, with these keys of `[source]`."""

    def write(name: str, content: bytes | str, **settings: Any) -> Source:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return open_source(SourceSpec(file=name, **settings), tmp_path)

    return write
