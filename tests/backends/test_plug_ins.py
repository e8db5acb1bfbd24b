"""Kinds from other packages: installed in an environment of their own and used, and broken ones that only warn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from batchtui.backends import registry
from batchtui.backends.base import BackendSettings, Direct
from batchtui.errors import ConfigError

EXAMPLE = Path(__file__).parents[1] / "data/plugin_example"
ROOT = Path(__file__).parents[2]
BROKEN = {
    "gone": ("no_such_module:Kind", None),
    "leaves": ("plug_in_that_leaves:Kind", "raise SystemExit(3)\n"),
    "odd": ("plug_in_of_another_shape:Kind", "Kind = 7\n"),
}

FAULTY = (
    ("lost_reply", "json=asked, create=True", "json=asked"),
    ("found_and_never", 'return Found(remote_id=str(batch["id"]))', "return Found(absent=True)"),
    (
        "break_off",
        "except Refused as fault:\n            raise Forgotten(fault.message) from None",
        "except (Refused, Transient):\n            return",
    ),
)
"""A test of the kit, and a fault of the kind that it finds."""


@dataclass
class Environment:
    """A virtual environment of its own, on top of the packages that run these tests."""

    folder: Path

    @property
    def python(self) -> str:
        return str(self.folder / "env/bin/python")

    @property
    def packages(self) -> Path:
        (found,) = (self.folder / "env/lib").glob("python*/site-packages")
        return found

    def make(self) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.folder / "env"], check=True)
        places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        lines = [f"import site; site.addsitedir({place!r})" for place in sorted(places)]
        (self.packages / "host.pth").write_text("\n".join([str(ROOT), *lines]))

    def install(self, package: Path) -> None:
        options = ("--no-index", "--no-build-isolation", "--no-deps", "-q", "--disable-pip-version-check")
        command = [sys.executable, "-m", "pip", "--python", self.python, "install", *options, str(package)]
        subprocess.run(command, check=True, timeout=100)

    def proves(self, package: Path, *options: str) -> subprocess.CompletedProcess[str]:
        """The tests that the package brings for its kinds."""
        command = [
            self.python,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-n0",
            "--rootdir",
            package,
            package,
        ]
        return subprocess.run(
            [*command, *options], capture_output=True, text=True, cwd=package, timeout=200, check=False,
        )  # fmt: skip

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {
            "BATCHTUI_DATA_DIR": str(self.folder / "data"),
            "BATCHTUI_CONFIG": str(self.folder / "config.toml"),
        }
        done = subprocess.run(
            [self.python, "-m", "batchtui", *arguments],
            capture_output=True, text=True, env=kept | own, cwd=self.folder, timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done


def break_things(packages: Path) -> None:
    """Metadata of a package whose plug-ins cannot be used, each in its own way."""
    about = packages / "broken_plug_ins-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plug-ins\nVersion: 1\n")
    entries = "".join(f"{name} = {value}\n" for name, (value, _) in BROKEN.items())
    (about / "entry_points.txt").write_text(f"[batchtui.backends]\n{entries}")
    for value, source in BROKEN.values():
        if source is not None:
            (packages / f"{value.partition(':')[0]}.py").write_text(source)


def test_a_kind_of_another_package_runs_beside_broken_ones(tmp_path: Path) -> None:
    for needed in ("pip", "hatchling"):
        pytest.importorskip(needed, reason="needs what installs a package without a network")
    package = tmp_path / "package"
    package.mkdir()
    for file in EXAMPLE.iterdir():
        if file.is_file():
            (package / file.name).write_bytes(file.read_bytes())
    environment = Environment(tmp_path)
    environment.make()
    environment.install(package)
    break_things(environment.packages)
    config = tmp_path / "config.toml"
    config.write_text(
        '[backends.words]\nkind = "wordcount"\nlonger_than = 3\n[backends.lost]\nkind = "gone"\n'
    )
    (tmp_path / "rows.csv").write_text("id,body\na,three small words\nb,the one\n")

    listed = environment("backends")
    assert listed.returncode == 0
    assert "wordcount" in listed.stdout
    warnings = [line for line in listed.stderr.splitlines() if line.startswith("warning:")]
    assert [name for name in BROKEN if any(f'kind "{name}"' in line for line in warnings)] == list(BROKEN)
    assert len(warnings) == len(BROKEN)

    ran = environment("run", "rows.csv", "--backend", "words", "--set", "job.text={{ body }}", "-q")
    assert ran.returncode == 0, ran.stderr
    results = environment("results", "rows", "--format", "jsonl").stdout
    outputs = {line["job_id"]: line["output"] for line in map(json.loads, results.splitlines())}
    assert outputs == {"a": {"words": 3, "longest": "three"}, "b": {"words": 0, "longest": ""}}

    proved = environment.proves(package)
    assert proved.returncode == 0, proved.stdout
    kind = package / "batchtui_wordqueue.py"
    good = kind.read_text()
    for test, old, new in FAULTY:
        assert old in good
        kind.write_text(good.replace(old, new))
        proved = environment.proves(package, "-k", test)
        assert "1 failed" in proved.stdout, f"{test} passes over {new}"
    kind.write_text(good)

    lost = environment("run", "rows.csv", "--backend", "lost", "--set", "job.text=x")
    assert lost.returncode in (2, 3)
    assert "no_such_module" in lost.stderr
    config.write_text(
        '[backends.words]\nkind = "wordcount"\nlonger_then = 3\n[backends.typo]\nkind = "wordcont"\n'
    )
    assert 'did you mean "longer_than"?' in environment("run", "rows.csv", "--backend", "words").stderr
    assert 'did you mean "wordcount"?' in environment("run", "rows.csv", "--backend", "typo").stderr


class Unfinished(Direct):  # type: ignore[type-arg]
    kind = "unfinished"
    summary = "leaves out its one method"


class Fails(Direct):  # type: ignore[type-arg]
    kind, summary, Work = "fails", "cannot be built", BackendSettings

    def __init__(self, setup: object) -> None:
        raise ZeroDivisionError("when built")

    async def run(self, job: object, note: object) -> None:  # type: ignore[override]
        """Never called."""


class _Entry:
    value = "somewhere:Kind"

    def __init__(self, kind: object) -> None:
        self.kind = kind

    def load(self) -> object:
        return self.kind


def test_what_a_plug_in_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {"unfinished": _Entry(Unfinished), "fails": _Entry(Fails)}
    monkeypatch.setattr(registry, "_plug_ins", lambda: entries)
    assert [(name, "leaves out run" in why) for name, why in registry.broken()] == [("unfinished", True)]
    with pytest.raises(ConfigError, match=r"backends\.x: .*fails.*ZeroDivisionError: when built"):
        registry.build("x", {"kind": "fails"}, None)
