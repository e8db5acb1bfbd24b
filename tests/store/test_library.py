"""The data folder: batches found, made, thrown away and removed, and nothing named by outside text."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from batchtui.errors import BadInput, NotFound, StoreDamaged
from batchtui.model import JobRecord
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from tests.store.store_help import drive, header, make, session


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "data")


def _named(
    library: Library, batch_id: str, name: str, created: str = "2026-11-21T07:00:00.000Z"
) -> BatchFolder:
    draft = library.draft()
    path = draft.keep(header(draft.id, 0, name)).path
    moved = path.rename(path.with_name(batch_id))
    text = (moved / "batch.json").read_text().replace(draft.id, batch_id)
    (moved / "batch.json").write_text(text.replace("2026-11-21T07:00:00.000Z", created))
    return library.open(batch_id)


def test_an_empty_data_folder(library: Library) -> None:
    assert library.ids() == []
    assert list(library.folders()) == []
    library.sweep()
    with pytest.raises(NotFound):
        library.find("x")
    assert not library.data_dir.exists()


def test_found_by_id_its_beginning_or_its_name(library: Library) -> None:
    _named(library, "ab2345", "invoices")
    _named(library, "ab9999", "reports")
    for reference in ("ab2345", "ab2", "invoices"):
        assert library.find(reference).id == "ab2345"
    with pytest.raises(BadInput, match="ab2345, ab9999"):
        library.find("ab")
    with pytest.raises(NotFound, match='did you mean "invoices"'):
        library.find("invoice")


def test_of_several_of_one_name_the_newest_is_meant(library: Library) -> None:
    for batch_id, day in (("ab2345", 2), ("cd2345", 3), ("ef2345", 1)):
        _named(library, batch_id, "invoices", f"2026-11-2{day}T07:00:00.000Z")
    assert library.find("invoices").id == "cd2345"
    library.remove("cd2345")
    assert library.find("invoices").id == "ab2345"


def test_a_name_is_given_once(library: Library) -> None:
    assert library.free_name("sweep") == "sweep"
    for batch_id, name in (("ab2345", "sweep"), ("cd2345", "sweep-3"), ("ef2345", "day-7")):
        _named(library, batch_id, name)
    found = [library.free_name(name) for name in ("sweep", "sweep-2", "sweep-3", "day-7", "day", "-7", "")]
    assert found == ["sweep-2", "sweep-2", "sweep-4", "day-8", "day", "-7", ""]


def test_a_whole_name_wins_over_the_beginning_of_another_batchs_id(library: Library) -> None:
    """Ids are drawn at random, and a script that says a name must not fail by what was drawn."""
    _named(library, "ab2345", "invoices")
    _named(library, "cd2345", "ab")
    assert library.find("ab").id == "cd2345"
    assert library.find("ab2").id == "ab2345"


@pytest.mark.parametrize(
    "reference", ["", ".", "..", "/", "../batches", "\0", "\ud83d", "x" * 5000, ".draft", "*"]
)
def test_no_reference_leads_outside(library: Library, reference: str) -> None:
    _named(library, "ab2345", "")
    for look in (library.open, library.find):
        with pytest.raises(NotFound):
            look(reference)


def test_newest_first(library: Library) -> None:
    for batch_id, day in (("aaaaaa", 2), ("bbbbbb", 3), ("cccccc", 1)):
        _named(library, batch_id, "x", f"2026-11-0{day}T07:00:00.000Z")
    found = [item.id for item in library.folders() if isinstance(item, BatchFolder)]
    assert found == ["bbbbbb", "aaaaaa", "cccccc"]


def test_a_link_is_no_batch(library: Library, tmp_path: Path) -> None:
    folder = _named(library, "ab2345", "invoices")
    elsewhere = folder.path.rename(tmp_path / "ab2345")
    folder.path.symlink_to(elsewhere)
    with pytest.raises(StoreDamaged, match="symbolic link"):
        library.open("ab2345")
    (fault,) = library.folders()
    assert isinstance(fault, StoreDamaged)


def test_a_draft_is_unseen_until_it_is_kept(library: Library) -> None:
    draft = library.draft()
    draft.jobs.add(JobRecord(n=0, id="a"))
    assert library.ids() == []
    with pytest.raises(NotFound):
        library.open(draft.id)
    folder = draft.keep(header(draft.id, 1))
    assert library.ids() == [draft.id]
    assert folder.jobs.ids == ["a"]


def test_a_discarded_draft_leaves_no_trace(library: Library) -> None:
    before = len(os.listdir("/dev/fd"))
    draft = library.draft()
    for n in range(1200):
        draft.jobs.add(JobRecord(n=n, id=str(n)))
    draft.discard()
    assert list(library.batches_dir.iterdir()) == []
    assert len(os.listdir("/dev/fd")) == before


def test_removed_is_gone_at_once(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deletion that is cut short leaves a hidden folder, which the sweep takes."""
    folder = _named(library, "ab2345", "invoices")
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)
    library.remove(folder.id)
    monkeypatch.undo()
    assert library.ids() == []
    (left,) = library.batches_dir.iterdir()
    assert left.name.startswith(".removed-")
    library.sweep()
    assert left.exists()
    os.utime(left, (time.time() - 90_000,) * 2)
    library.sweep()
    assert list(library.batches_dir.iterdir()) == []


def test_the_sweep_takes_old_drafts_and_nothing_else(library: Library) -> None:
    kept = _named(library, "ab2345", "invoices")
    old, fresh = library.draft(), library.draft()
    for path in (kept.path, library.batches_dir / f".draft-{old.id}-{os.getpid()}"):
        os.utime(path, (time.time() - 90_000,) * 2)
    library.sweep()
    assert {path.name for path in library.batches_dir.iterdir()} == {
        "ab2345",
        f".draft-{fresh.id}-{os.getpid()}",
    }


def test_ids_are_easy_to_read_aloud_and_differ(library: Library) -> None:
    ids = [library.draft().id for _ in range(50)]
    assert len(set(ids)) == 50
    assert all(len(id_) == 6 and not set(id_) & set("01ilo") and id_.isalnum() for id_ in ids)


def test_hostile_ids_and_names_never_become_file_names(
    library: Library, hostile: list[dict[str, str]]
) -> None:
    texts = [bytes.fromhex(case["hex"]).decode("utf-8", "surrogatepass") for case in hostile]
    before = {path.name for path in library.data_dir.parent.iterdir()}
    folder = make(library.data_dir, texts[:6], name=texts[0])
    writer = drive(folder)
    session(writer)
    writer.close()
    everything = make(library.data_dir, texts, name="../../escape")
    drive(everything).close()
    assert everything.jobs.ids == texts
    usual = {"batch.json", "jobs.jsonl", "events.jsonl", "results.jsonl", "checkpoint.json", "lock"}
    for path in (folder.path, everything.path):
        assert {file.name for file in path.iterdir()} == usual
    assert {path.name for path in library.batches_dir.iterdir()} == {folder.id, everything.id}
    assert {path.name for path in library.data_dir.parent.iterdir()} == before | {"data"}
