"""A bundle whose batch makes no sense is refused as a whole, with the reason, and one that is sound is only followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.config import load_config
from batchtui.engine.manage.bundling import bundle, take_in
from batchtui.engine.plan.consent.reach import Reach
from batchtui.engine.shared.pool import Backends
from batchtui.errors import BadInput
from batchtui.model import Json
from batchtui.store.library import Library
from tests.store.store_help import drive, make, session
from tests.store.test_bundles import headed, rewritten

CONFIG = '[backends.claude]\nkind = "anthropic"\nbase_url = "http://127.0.0.1:1"\napi_key_env = "KEY"\n'


@pytest.fixture
def backends(tmp_path: Path) -> Backends:
    (tmp_path / "config.toml").write_text(CONFIG)
    return Backends(load_config(tmp_path / "config.toml", env={}), env={"KEY": "k"})


@pytest.fixture
def path(tmp_path: Path, backends: Backends) -> Path:
    accounts = {"claude": backends.get("claude").account()}
    folder = make(tmp_path / "data", accounts=accounts)
    writer = drive(folder)
    session(writer)
    writer.close()
    bundle(folder, tmp_path / "k.bundle", backends)
    return tmp_path / "k.bundle"


def agreed(reach: Reach) -> None:
    assert reach.lines == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"schema": 2}, "newer batchtui"),
        ({"created": "yesterday"}, "not sound"),
        ({"seq": 10**6, "spec": {"name": "k", "limits": {"time": "bogus"}}}, "limits.time"),
        ({"seq": 10**6, "spec": {"name": "k", "limits": {"cost_usd": -1}}}, "limits.cost_usd"),
        ({"id": "another"}, "not of the folder"),
        ({"template": []}, "batch.json"),
        ({"accounts": {"claude": 7}}, "batch.json"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(
    path: Path, tmp_path: Path, backends: Backends, facts: dict[str, Json], words: str
) -> None:
    bad = rewritten(path, tmp_path / "bad.bundle", headed(**facts))
    library = Library(tmp_path / "there")
    with pytest.raises(BadInput, match=words):
        take_in(bad, library, backends, agree=agreed)
    assert list(library.batches_dir.iterdir()) == []


def test_a_sound_one_follows_whatever_it_says_of_itself(
    path: Path, tmp_path: Path, backends: Backends
) -> None:
    said = headed(follows=None, taking_over=True, base="/etc", files="/etc", seq=10**6)
    library = Library(tmp_path / "there")
    folder, notes = take_in(rewritten(path, tmp_path / "said.bundle", said), library, backends, agree=agreed)
    header = library.open(folder.id).header
    assert header.follows
    assert not header.taking_over
    assert header.base == header.files == str(folder.path / "files")
    assert notes == []
    assert library.open(folder.id).status().follows == header.follows
    assert [item.kind for item in folder.status().attention if item.kind == "copy"] == ["copy"]


def test_results_are_written_nowhere_from_a_bundle(path: Path, tmp_path: Path, backends: Backends) -> None:
    spec = {"name": "k", "output": {"dir": str(tmp_path / "out")}}
    library = Library(tmp_path / "there")
    said = rewritten(path, tmp_path / "said.bundle", headed(spec=spec, seq=10**6))
    folder, notes = take_in(said, library, backends, agree=agreed)
    assert folder.header.spec.output.dir is None
    assert "batchtui export" in notes[0]
