"""A check tells where it stands whatever its rows are, and ends when who hears it says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.config import load_config
from batchtui.engine.plan.planning import plan
from batchtui.engine.shared.pool import Backends
from batchtui.model import BatchSpec, SourceSpec


class Stop(Exception):
    pass


@pytest.mark.parametrize("line", ['{"t": "x"}', "{broken"])
def test_a_check_is_stopped_at_any_row(tmp_path: Path, line: str) -> None:
    (tmp_path / "rows.jsonl").write_text(f"{line}\n" * 1_000_000)
    spec = BatchSpec(
        name="t", backend="openai", source=SourceSpec(file="rows.jsonl"), job={"model": "m", "prompt": "x"}
    )
    (tmp_path / "config.toml").write_text("")
    keys = {"OPENAI_API_KEY": "x"}
    backends = Backends(load_config(tmp_path / "config.toml", env=keys), env=keys)
    told: list[int] = []

    def tick(rows: int) -> None:
        told.append(rows)
        if len(told) == 3:
            raise Stop

    with pytest.raises(Stop):
        plan(spec, tmp_path, backends, tick=tick)
    assert told[0] == 0
    assert 0 < told[1] < told[2] < 1_000_000
