"""What is asked about before a batch from elsewhere is obeyed: what kinds say of their keys, and what rows may say."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from batchtui.backends.base import BackendSettings, Direct, PathUse, Setup
from batchtui.engine.plan.consent.chosen_by_rows import rows_choose
from batchtui.engine.plan.consent.reach import Reach, words_of
from batchtui.engine.plan.consent.trusted import Trusted
from batchtui.model import BatchSpec, Json, SourceSpec

X = "{{ x }}"


@pytest.mark.parametrize(
    "fields",
    [
        {"command": [X]},
        {"command": f"{X} a"},
        {"command": [f"bin/{X}", "a"]},
        {"command": ["sh", "-c", X]},
        {"command": ["/bin/bash", "-o", "pipefail", "-c", f"wc {X}"]},
        {"command": ["nice", "-n", "10", "env", "A=1", X]},
        {"command": ["timeout", "5", "python3", X]},
        {"command": ["python", "-m", X]},
        {"command": ["ssh", "host", X]},
        {"command": ["sudo", "-u", "somebody", X]},
        {"command": ["find", ".", "-exec", X, ";"]},
        {"command": ["sh"], "stdin": X},
        {"command": ["bash", "-s", "a"], "stdin": X},
        {"command": ["prog"], "env": {"PATH": X}},
        {"command": ["prog"], "env": {"LD_PRELOAD": f"{X}.so"}},
        {"call": f"m:{X}"},
        {"call": "os:system", "arguments": {"command": X}},
        {"call": "m:f", "python_path": [X]},
    ],
)
def test_rows_that_name_what_runs(fields: dict[str, Json]) -> None:
    assert rows_choose(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"command": ["echo", X]},
        {"command": ["sh", "-c", 'wc "$1"', "wc", X]},
        {"command": ["bash", "-euo", "pipefail", "-c", "wc", X]},
        {"command": ["python", "tool.py", X]},
        {"command": ["python", "-u", "-m", "tool", X], "stdin": X},
        {"command": ["prog"], "stdin": X, "env": {"SEED": X}},
        {"call": "m:f", "arguments": {"x": X}},
    ],
)
def test_rows_that_are_only_data(fields: dict[str, Json]) -> None:
    assert not rows_choose(fields)


class Work(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    letters: list[str] = []
    into: str | None = None
    script: str | None = None


class Plug(Direct[Work]):
    """A kind that another package brings."""

    kind = "plug"
    summary = "of another package"
    Work = Work
    path_fields = {"letters": PathUse.UPLOADS, "into": PathUse.WRITES}
    run_fields = {"script": ()}

    async def run(self, job, note):  # type: ignore[no-untyped-def]
        raise AssertionError


def looked(base: Path, job: dict[str, Json], own: set[str] | None = None) -> Reach:
    reach = Reach(BatchSpec(job=job), base, own or set(), templates={"plug": job})
    reach.look(Plug(Setup("plug", BackendSettings(kind="plug"))), msgspec.convert(job, Work), {})
    return reach


def test_a_kind_of_another_package_says_what_its_keys_do(tmp_path: Path) -> None:
    away = tmp_path.parent
    job = {"letters": ["a.txt", "../b.txt"], "into": "/var/out/x", "script": "boom"}
    assert looked(tmp_path, job).lines == [
        'runs the script "boom" on plug',
        'uploads files to plug: letters = ["a.txt", "../b.txt"], first a.txt',
        f"reads files in {away.resolve()}, outside its folder",
        "writes results to /var/out, outside its folder",
    ]
    assert looked(tmp_path, job, words_of(BatchSpec(job=job))).consent is None
    assert looked(tmp_path, {"into": "sub/x"}).consent is None


def test_what_is_shown_alone_makes_the_hash(tmp_path: Path) -> None:
    job = {"script": "boom"}
    first = looked(tmp_path, job).hash
    assert looked(tmp_path, job).hash == first
    assert looked(tmp_path, {"script": "other"}).hash != first
    assert looked(tmp_path, job | {"into": "/var/out/x"}).hash != first
    (tmp_path / "elsewhere").mkdir()
    assert looked(tmp_path / "elsewhere", job).hash != first


def test_a_folder_of_rows_with_links_out_of_it(tmp_path: Path) -> None:
    base, away = tmp_path / "base", tmp_path / "away"
    (base / "rows/deep").mkdir(parents=True)
    away.mkdir()
    (away / "secret.txt").write_text("s")
    (base / "rows/deep/linked.txt").symlink_to(away / "secret.txt")
    reach = Reach(BatchSpec(source=SourceSpec(file="rows")), base)
    assert reach.lines == [f"reads files in {away.resolve()}, outside its folder"]


def test_a_file_written_here_is_ones_own_until_it_is_changed(tmp_path: Path) -> None:
    trusted, path = Trusted(tmp_path / "data"), tmp_path / "b.toml"
    path.write_text('backend = "local"\n')
    assert not trusted.is_own(path)
    trusted.own(path)
    assert trusted.is_own(path)
    (tmp_path / "copy.toml").write_text(path.read_text())
    assert not trusted.is_own(tmp_path / "copy.toml")
    path.write_text('backend = "slurm"\n')
    assert not trusted.is_own(path)
