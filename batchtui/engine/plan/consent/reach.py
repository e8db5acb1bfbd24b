"""What a batch from elsewhere does beyond its words: what it runs, uploads, is handed, and reads or writes outside.

The kinds name the keys of their `[job]` that do such things (`path_fields`, `run_fields`, `handed_over`). Words that
are the user's own, typed on the command line or into the app's form, are never asked about.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from batchtui.backends.program_words import shown_value
from batchtui.backends.uses import PathUse
from batchtui.engine.outputs.result_files import output_dir
from batchtui.engine.plan.compose.attaching import beside_source
from batchtui.engine.plan.compose.rendering import has_template, with_sweep
from batchtui.engine.plan.consent.chosen_by_rows import rows_choose
from batchtui.engine.plan.consent.consent_words import consent_lines
from batchtui.engine.shared.pool import AnyBackend
from batchtui.model import BatchSpec, Json
from batchtui.preflight import Consent, Run, Upload
from batchtui.results.judging.schema import schema_path


def words_of(spec: BatchSpec) -> set[str]:
    """The keys of all that a batch says and a person may be asked about; for one that is the user's own, all of them."""
    said = {f"job.{key}" for key in spec.job} | {f"sweep.{path}" for path in spec.sweep}
    named = {"source.file": spec.source, "output.dir": spec.output.dir}
    return said | {key for key, value in named.items() if value}


@dataclass
class Reach:
    """Collects, job by job, what a batch does beyond its words.

    `own` are keys whose value the user gave beside the file, which are the user's own words. What the source itself
    says of jobs is never among them.
    """

    spec: BatchSpec
    base: Path
    own: Collection[str] = ()
    files: Path | None = None
    """The folder that paths of jobs start from, where it is another than `base`; what lies in it is not outside."""
    implied: Collection[str] = ()
    """Keys of `[job]` that the source itself says, where the batch does not."""
    templates: dict[str, dict[str, Json]] = field(default_factory=dict)
    """By backend, what its jobs are rendered from."""
    places: set[tuple[str, str]] = field(default_factory=set)
    """(what is done there, the folder)."""
    rows_from: str | None = None
    """The source, where it lies outside."""
    variables: set[str] = field(default_factory=set)
    runs: dict[str, Run] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    _named: dict[str, set[str]] = field(default_factory=dict)
    """What rows name, of a run of `runs`, as JSON."""
    _written: dict[str, tuple[str, dict[str, Json]]] = field(default_factory=dict)
    _inside: dict[str, bool] = field(default_factory=dict)
    _real: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._files = self.files or self.base
        roots = [self._files, *([beside_source(self.spec, self.base)] if "source.file" in self.own else [])]
        self._roots = list(dict.fromkeys(map(os.path.realpath, roots)))
        if self.spec.output.dir and "output.dir" not in self.own:
            self._add(PathUse.WRITES, os.path.realpath(output_dir(self.spec, self.base)))
        if isinstance(schema := self.spec.job.get("schema"), str) and self._is_theirs("schema"):
            self._add(PathUse.READS, self._folder_of(schema_path(schema, self.base)))
        if self.spec.source and self.spec.source.file != "-" and "source.file" not in self.own:
            self._look_at_source(self.base / os.path.expanduser(self.spec.source.file))

    def _look_at_source(self, path: Path) -> None:
        """Where the rows come from, and whatever links of a folder of them lead to."""
        real = os.path.realpath(path)
        if not self._is_inside(real):
            self.rows_from = real
        for folder, folders, names in os.walk(path) if path.is_dir() else ():
            for name in (*folders, *names):
                if os.path.islink(link := os.path.join(folder, name)):
                    self._add(PathUse.READS, os.path.dirname(os.path.realpath(link)))

    def _is_theirs(self, key: str) -> bool:
        """Whether the value of a key of `[job]` is a word of whoever made the batch file or its source."""
        swept = {f"sweep.{path}" for path in self.spec.sweep if path.split(".")[0] == key}
        if not swept <= set(self.own):
            return True
        return f"job.{key}" not in self.own if key in self.spec.job else key in self.implied

    def look(self, backend: AnyBackend, work: msgspec.Struct, sweep: dict[str, Json]) -> None:
        """Take in what one job does."""
        for key, use in backend.path_fields.items():
            if (value := getattr(work, key, None)) and self._is_theirs(key):
                self._look_at_paths(backend, key, use, [value] if isinstance(value, str) else value, sweep)
        for key, beside in backend.run_fields.items():
            if (value := getattr(work, key, None)) and any(map(self._is_theirs, (key, *beside))):
                self._look_at_run(backend, (key, *beside), value, work, sweep)
        if self._is_theirs("env"):
            self.variables.update(backend.handed_over(work))

    def _look_at_paths(
        self, backend: AnyBackend, key: str, use: PathUse, names: list[str], sweep: dict[str, Json]
    ) -> None:
        for name in names:
            if use is PathUse.RUNS:
                if _leads_away(name):
                    self._add(use, os.path.realpath(name))
                continue
            try:
                path = self._files / (Path(name).expanduser() if name[:1] == "~" else name)
            except RuntimeError:
                continue  # nobody has that home folder: its job cannot be sent
            self._add(PathUse.READS if use is PathUse.UPLOADS else use, self._folder_of(path))
        if use is PathUse.UPLOADS:
            mark, template = self._as_written(backend, (key,), sweep)
            if mark not in self.uploads:
                address = backend.setup.settings.base_url
                self.uploads[mark] = Upload(
                    backend=backend.name, address=address, template=template, first=str(names[0])
                )

    def _look_at_run(
        self,
        backend: AnyBackend,
        keys: tuple[str, ...],
        value: Json,
        work: msgspec.Struct,
        sweep: dict[str, Json],
    ) -> None:
        mark, template = self._as_written(backend, keys, sweep)
        if mark not in self.runs:
            self.runs[mark] = Run(backend=backend.name, template=template, first=value)
            if rows_choose(template):
                self._named[mark] = set()
        if mark in self._named:
            given = {key: getattr(work, key, None) for key in keys if has_template(template.get(key))}
            self._named[mark].add(_json(given))

    def _as_written(
        self, backend: AnyBackend, keys: tuple[str, ...], sweep: dict[str, Json]
    ) -> tuple[str, dict[str, Json]]:
        """These keys of the `[job]` that a job is rendered from, before its row is filled in, and their mark."""
        swept = {path: value for path, value in sweep.items() if path.split(".")[0] in keys}
        asked = repr((backend.name, keys, swept))
        if asked not in self._written:
            whole = with_sweep(self.templates.get(backend.name, {}), swept)
            template = {key: whole[key] for key in keys if whole.get(key) is not None}
            self._written[asked] = _json([backend.name, template]), template
        return self._written[asked]

    def _add(self, use: str, folder: str) -> None:
        if not self._is_inside(folder):
            self.places.add((use, folder))

    def _folder_of(self, path: Path) -> str:
        """The folder that the file truly lies in, whatever links lead there."""
        if path.name == os.pardir or os.path.islink(path):
            return os.path.dirname(os.path.realpath(path))
        place = str(path.parent)
        if place not in self._real:
            self._real[place] = os.path.realpath(place)
        return self._real[place]

    def _is_inside(self, folder: str) -> bool:
        if folder not in self._inside:
            self._inside[folder] = any(os.path.commonpath((root, folder)) == root for root in self._roots)
        return self._inside[folder]

    # ---- what is shown

    @property
    def consent(self) -> Consent | None:
        """All of it; None where there is nothing to ask about."""
        told = Consent(
            runs=[
                msgspec.structs.replace(
                    run,
                    template=_masked(run.template),
                    by_rows=[json.loads(one) for one in sorted(self._named.get(mark, ()))],
                )
                for mark, run in self.runs.items()
            ],
            uploads=list(self.uploads.values()),
            variables=sorted(self.variables),
            reads=[*([self.rows_from] if self.rows_from else []), *self._of(PathUse.READS)],
            runs_in=self._of(PathUse.RUNS),
            writes=self._of(PathUse.WRITES),
        )
        return told if told != Consent() else None

    def _of(self, use: str) -> list[str]:
        return sorted(place for done, place in self.places if done == use)

    @property
    def lines(self) -> list[str]:
        """What it does, one sort a line; empty where there is nothing to ask about."""
        return consent_lines(self.consent)

    @property
    def hash(self) -> str:
        """Of all that is shown but the first job, whose words are the rows', and of its folder: a change asks anew."""
        told = [
            self._roots[0], sorted(self.places), self.rows_from, sorted(self.variables), sorted(self.runs),
            sorted((mark, sorted(named)) for mark, named in self._named.items()),
            sorted((mark, upload.address or "") for mark, upload in self.uploads.items()),
        ]  # fmt: skip
        return hashlib.sha256(_json(told).encode("utf-8", "surrogatepass")).hexdigest()


def _masked(template: dict[str, Json]) -> dict[str, Json]:
    """A value that looks like a key is not shown; one that is taken from the environment is told by its name."""
    env = template.get("env")
    if not isinstance(env, dict):
        return template
    return template | {"env": {name: shown_value(name, value) for name, value in env.items()}}


def _json(value: Json) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _leads_away(path: str) -> bool:
    """Whether a path is more than a step down from where one stands."""
    return os.path.isabs(path) or os.path.normpath(path).split(os.sep)[0] == os.pardir
