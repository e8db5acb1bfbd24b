"""A bundle is a file from elsewhere: whatever is wrong with it, it is refused with a reason and nothing lies outside."""

from __future__ import annotations

import hashlib
import json
import random
import stat
import threading
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from batchtui.errors import BadInput
from batchtui.model import JobState, Json, Outcome
from batchtui.store.bundles import manifest as told
from batchtui.store.bundles.bounds import check_bounds
from batchtui.store.bundles.packing import pack
from batchtui.store.bundles.unpacking import Bundle, is_bundle
from batchtui.store.files import labels
from batchtui.store.files.journal import seal
from batchtui.store.folder import BatchFolder
from batchtui.store.health.proof import prove
from batchtui.store.library import Library
from tests.store.store_help import drive, make, session

Change = Callable[[Json, dict[str, bytes]], None]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = make(tmp_path / "data")
    writer = drive(folder)
    session(writer)
    writer.close()
    (folder.path / "raw").mkdir(exist_ok=True)
    (folder.path / "raw" / "1-output.jsonl").write_bytes(b"{}\n" * 300)
    target = tmp_path / "k.bundle"
    pack(folder, target, {}, [], {})
    return target


def unpacked(path: Path, place: Path) -> dict[str, bytes]:
    with Bundle(path) as opened:
        opened.unpack(place)
    return {one.relative_to(place).as_posix(): one.read_bytes() for one in place.rglob("*") if one.is_file()}


def rewritten(path: Path, target: Path, change: Change, entries: Sequence[zipfile.ZipInfo] = ()) -> Path:
    """The bundle with its manifest and parts changed, the checksums as they were."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    manifest = json.loads(parts.pop(told.NAME))
    change(manifest, parts)
    with zipfile.ZipFile(target, "w") as new:
        new.writestr(told.NAME, json.dumps(manifest))
        for name, data in parts.items():
            new.writestr(name, data)
        for entry in entries:
            new.writestr(entry, b"/etc/passwd")
    return target


def named(name: str) -> Change:
    """A part of this name, honest in all else."""

    def change(manifest: Json, parts: dict[str, bytes]) -> None:
        parts[name] = b"x"
        manifest["parts"].append({"name": name, "size": 1, "sha256": hashlib.sha256(b"x").hexdigest()})

    return change


def without(name: str) -> Change:
    def change(manifest: Json, parts: dict[str, bytes]) -> None:
        manifest["parts"] = [part for part in manifest["parts"] if part["name"] != name]
        parts.pop(name)

    return change


def replaced(**facts: Json) -> Change:
    return lambda manifest, parts: manifest.update(facts)


def test_what_was_packed_is_unpacked_as_it_was(bundle: Path, tmp_path: Path) -> None:
    assert is_bundle(bundle)
    found = unpacked(bundle, tmp_path / "out")
    assert found["raw/1-output.jsonl"] == b"{}\n" * 300
    assert {name for name in found if "/" not in name} <= told.ALONE
    assert all((tmp_path / "out" / name).stat().st_mode & 0o777 == 0o600 for name in found)


def test_what_was_said_of_results_goes_along_up_to_its_last_whole_line(tmp_path: Path) -> None:
    folder = make(tmp_path / "data")
    writer = drive(folder)
    session(writer)
    writer.close()
    labels.add(folder.path, [labels.Label(job_id="job-0", label="good", note="as it should be")])
    labels.add(folder.path, [labels.Label(job_id="job-1", label="better", against="b1")])
    whole = (folder.path / labels.FILE).read_bytes()
    with (folder.path / labels.FILE).open("ab") as file:
        file.write(b'{"job_id": "job-2", "lab')
    pack(folder, tmp_path / "k.bundle", {}, [], {})
    assert unpacked(tmp_path / "k.bundle", tmp_path / "out")[labels.FILE] == whole
    said = labels.read(tmp_path / "out")
    assert said.of_jobs["job-0"].note == "as it should be"
    assert said.verdicts == {"b1": {"job-1": "better"}}


@pytest.mark.parametrize(
    "name",
    [
        "../outside", "files/../../outside", "/tmp/outside", "files//a", "files/./a", "files/", "lock", "holder.json",
        "inbox.jsonl", "checkpoint.json", "raw", "run/a", "files/a\\b", "files/a\nb", "files/\x1b[2J", "files/" + "a" * 300,
        "files/" + "/".join(["d" * 200] * 6), "FILES/a",
    ],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(bundle: Path, tmp_path: Path, name: str) -> None:
    path = rewritten(bundle, tmp_path / "bad.bundle", named(name))
    with pytest.raises(BadInput, match=r"bad\.bundle.*nothing was taken in"):
        unpacked(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("jobs.jsonl"), "no jobs.jsonl"),
        (replaced(schema=2), "newer batchtui"),
        (replaced(format="another"), "no bundle of batchtui"),
        (replaced(batch="../x"), "no id of a batch"),
        (replaced(batch=""), "no id of a batch"),
        (replaced(parts="none"), "manifest cannot be read"),
        (lambda manifest, parts: parts.pop("jobs.jsonl"), "does not hold what its manifest names"),
        (lambda manifest, parts: parts.update(more=b"x"), "does not hold what its manifest names"),
        (lambda manifest, parts: parts.update({"jobs.jsonl": b"x"}), "another size"),
        (
            lambda manifest, parts: parts.update({"jobs.jsonl": bytes(len(parts["jobs.jsonl"]))}),
            "cut or changed",
        ),
        (lambda manifest, parts: manifest["parts"].append(manifest["parts"][0]), "twice"),
        (lambda manifest, parts: manifest["parts"][0].update(size=-1), "manifest cannot be read"),
        (lambda manifest, parts: manifest["parts"][0].update(size=told.MOST_BYTES + 1), "at most"),
    ],
)
def test_a_manifest_that_is_not_true_is_refused(
    bundle: Path, tmp_path: Path, change: Change, words: str
) -> None:
    path = rewritten(bundle, tmp_path / "bad.bundle", change)
    with pytest.raises(BadInput, match=words):
        unpacked(path, tmp_path / "out")


def test_links_and_names_that_differ_by_case_are_refused(bundle: Path, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("files/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16

    def told_of(manifest: Json, parts: dict[str, bytes]) -> None:
        digest = hashlib.sha256(b"/etc/passwd").hexdigest()
        manifest["parts"].append({"name": "files/link", "size": 11, "sha256": digest})

    with pytest.raises(BadInput, match="is a link"):
        unpacked(rewritten(bundle, tmp_path / "link.bundle", told_of, [link]), tmp_path / "out")

    def both(manifest: Json, parts: dict[str, bytes]) -> None:
        for name in ("files/a", "files/A"):
            named(name)(manifest, parts)

    with pytest.raises(BadInput, match="twice"):
        unpacked(rewritten(bundle, tmp_path / "case.bundle", both), tmp_path / "out")


def test_cut_anywhere_and_changed_anywhere_it_is_refused_or_the_same(bundle: Path, tmp_path: Path) -> None:
    whole = bundle.read_bytes()
    same = unpacked(bundle, tmp_path / "same")
    chance = random.Random(7)
    bad = tmp_path / "bad.bundle"
    for number in range(150):
        data = bytearray(whole)
        if number % 3:
            at = chance.randrange(len(data))
            data[at] ^= 1 << chance.randrange(8)
        else:
            del data[chance.randrange(len(data)) :]
        bad.write_bytes(data)
        try:
            found = unpacked(bad, tmp_path / f"out-{number}")
        except BadInput:
            continue
        assert found == same, number


def test_a_key_is_found_across_the_pieces_of_a_file(bundle: Path, tmp_path: Path) -> None:
    library = Library(tmp_path / "data")
    folder = library.open(library.ids()[0])
    secret = b"sk-0123456789"
    (folder.path / "raw" / "2-output.jsonl").write_bytes(b"x" * (told.CHUNK - 5) + secret)
    with pytest.raises(
        BadInput, match=r"raw/2-output.jsonl holds the key of me, and a bundle never holds a key"
    ):
        pack(folder, tmp_path / "bad.bundle", {}, [], {secret: "the key of me"})


def test_a_batch_that_is_driven_meanwhile_is_taken_as_it_stood_at_one_line(tmp_path: Path) -> None:
    """Every bundle is a sound batch, and each holds at least what the one before held."""
    folder = make(tmp_path / "data", 3000)
    writer = drive(folder)
    done, over = threading.Event(), threading.Event()

    def write() -> None:
        outcome = Outcome(state=JobState.COMPLETED, raw_response="ok " * 50, cost_usd=0.001)
        for n in range(3000):
            writer.record("start", n=n, **{"try": 1})
            writer.store(n, 1, f"job-{n}", outcome, backend="claude")
            if done.is_set():
                break
        over.set()

    thread = threading.Thread(target=write)
    thread.start()
    before = -1
    for number in range(12):
        pack(BatchFolder(folder.path), tmp_path / "k.bundle", {}, [], {})
        place = tmp_path / f"out-{number}" / folder.id
        place.parent.mkdir()
        unpacked(tmp_path / "k.bundle", place)
        assert prove(place).faults == []
        found = BatchFolder(place).progress.count(JobState.COMPLETED)
        assert found >= before
        before = found
        if over.is_set():
            break
    done.set()
    thread.join()
    writer.close()
    assert before > 0


def _sealed(change: Callable[[Json], None]) -> Change:
    """The journal with its first event of jobs changed, every checksum as it must be."""

    def changed(manifest: Json, parts: dict[str, bytes]) -> None:
        lines = [json.loads(line) for line in parts["events.jsonl"].splitlines()]
        change(next(line for line in lines if "jobs" in line))
        for line in lines:
            line.pop("crc")
        parts["events.jsonl"] = b"".join(map(seal, lines))
        part = next(one for one in manifest["parts"] if one["name"] == "events.jsonl")
        part["size"] = len(parts["events.jsonl"])
        part["sha256"] = hashlib.sha256(parts["events.jsonl"]).hexdigest()

    return changed


def headed(**facts: Json) -> Change:
    def changed(manifest: Json, parts: dict[str, bytes]) -> None:
        parts["batch.json"] = json.dumps(json.loads(parts["batch.json"]) | facts).encode()
        part = next(one for one in manifest["parts"] if one["name"] == "batch.json")
        part["size"] = len(parts["batch.json"])
        part["sha256"] = hashlib.sha256(parts["batch.json"]).hexdigest()

    return changed


@pytest.mark.parametrize(
    "change",
    [
        _sealed(lambda event: event.update(jobs="0-99999999999")),
        _sealed(lambda event: event.update(jobs="0-x")),
        _sealed(lambda event: event.update(event="added", total=10**12)),
        _sealed(lambda event: event.update(event="restored", columns={"total": 10**12})),
        headed(total=10**12),
        headed(total="many"),
    ],
)
def test_numbers_that_are_out_of_all_bounds_are_never_believed(
    bundle: Path, tmp_path: Path, change: Change
) -> None:
    folder = tmp_path / "in" / BatchFolder(next((tmp_path / "data" / "batches").iterdir())).id
    folder.parent.mkdir()
    unpacked(rewritten(bundle, tmp_path / "bad.bundle", change), folder)
    with pytest.raises(BadInput):
        check_bounds(folder)
