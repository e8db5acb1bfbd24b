"""The files that jobs bring: found from the batch file's folder, checked with the batch, read when a job is sent."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from batchtui.backends.attachments.checks import check_files, warnings
from batchtui.backends.attachments.files import Attached, FileFault, load, look
from batchtui.backends.attachments.pdf import PdfFacts, PdfLooker, available
from batchtui.backends.attachments.rules import FileRules
from batchtui.backends.base import Job
from batchtui.backends.prompts.kind import ModelSettings
from batchtui.backends.prompts.work import ChatWork
from batchtui.engine.shared.pool import AnyBackend
from batchtui.model import BatchSpec
from batchtui.store.files.header import BatchHeader
from batchtui.text import cell

TEMPORARY = tuple(
    sorted(
        {os.path.realpath(path) for path in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm", "/run")}  # noqa: S108 - looked for only
    )
)
"""Folders that are emptied by themselves."""


def files_folder(header: BatchHeader) -> Path:
    """Where the relative paths of a stored batch's jobs start; older batches had them beside the source."""
    return Path(header.files) if header.files else beside_source(header.spec, Path(header.base))


def beside_source(spec: BatchSpec, base: Path) -> Path:
    """The source's folder; without one `base`, the batch file's."""
    if spec.source is None or spec.source.file == "-":
        return base
    path = base / Path(spec.source.file).expanduser()
    return path if path.is_dir() else path.parent


def paths_of(work: msgspec.Struct, folder: Path) -> list[Path]:
    """The files that a job names: those beside a prompt, or the one that holds its input.

    Raises FileFault for a name that can be none.
    """
    named = work.file if isinstance(work, ChatWork) else named_input(work)
    if named is None:
        return []
    names = [named] if isinstance(named, str) else named
    if not all(name.strip() for name in names):
        raise FileFault("names no file: the path is empty")
    try:
        return [folder / (Path(name).expanduser() if name[0] == "~" else name) for name in names]
    except RuntimeError:
        raise FileFault(f"{cell(names[0], 200)}: nobody has that home folder") from None


def named_input(work: msgspec.Struct) -> str | None:
    """The file that holds a job's input and is no attachment, of kinds that take one."""
    found: str | None = getattr(work, "input_file", None)
    return found


def brings_files(work: msgspec.Struct) -> bool:
    return isinstance(work, ChatWork) and work.file is not None


def found(work: msgspec.Struct, folder: Path) -> tuple[Attached, ...]:
    """The job's files as they are now, without their content. Raises FileFault."""
    return tuple(map(look, paths_of(work, folder)))


def read(work: msgspec.Struct, folder: Path) -> tuple[Attached, ...]:
    """The job's files with their content. Raises FileFault."""
    return tuple(map(load, paths_of(work, folder)))


def named(work: msgspec.Struct, folder: Path) -> tuple[Attached, ...]:
    """The job's files for showing; one that is gone is there by name. Never raises."""
    shown: list[Attached] = []
    for path in _usable_paths(work, folder):
        try:
            shown.append(look(path))
        except FileFault as fault:
            words = f"«{fault}»"
            shown.append(Attached(path, cell(path.name, 200), "text", "text/plain", 0, 0, 0, data=words))
    return tuple(shown)


def fingerprint(files: Sequence[Attached]) -> str:
    """A short hash over path, size and time of the files, empty where there are none."""
    digest = hashlib.sha256()
    for one in files:
        digest.update(f"{one.path}\0{one.size}\0{one.changed}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16] if files else ""


def _usable_paths(work: msgspec.Struct, folder: Path) -> list[Path]:
    try:
        return paths_of(work, folder)
    except FileFault:
        return []


def check_again(backend: AnyBackend, job: Job[msgspec.Struct]) -> None:
    """Whether the files still fit, by what they hold now. Raises FileFault."""
    if job.files and isinstance(job.work, ChatWork):
        faults = check_files(job.work, job.files, _overridden(backend), backend.name, lambda _: None)
        if faults:
            raise FileFault(faults[0][1])


class FileChecks:
    """Checks the files of one batch's jobs. `warn` takes each warning, told once. Close it."""

    def __init__(self, folder: Path, beside: Path, warn: Callable[[str], None]) -> None:
        """Paths start from `folder`; `beside` is where the source lies, which a message may point to."""
        self.folder, self._beside = folder, beside
        self._warn = warn
        self._told: set[str] = set()
        self._places: set[str] = set()
        self._can_look: bool | None = None
        self._looker = PdfLooker()

    def close(self) -> None:
        self._looker.close()

    def attach(self, job: Job[msgspec.Struct]) -> None:
        """Find the job's files. Raises FileFault."""
        try:
            job.files = found(job.work, self.folder)
        except FileFault as fault:
            raise FileFault(f"{fault}{self._hint(job.work)}") from None

    def _hint(self, work: msgspec.Struct) -> str:
        """A word where the files lie beside the source."""
        paths = _usable_paths(work, self._beside)
        if not paths or paths == _usable_paths(work, self.folder) or not all(map(os.path.isfile, paths)):
            return ""
        step = os.path.relpath(self._beside, self.folder)
        return f'; relative paths start at the batch file: begin it with "{cell(step, 100)}/", since it lies beside the source'

    def check(self, backend: AnyBackend, job: Job[msgspec.Struct]) -> list[tuple[str, str]]:
        """What is wrong with its files, and with citations asked for, as (key, message)."""
        work = job.work
        if not isinstance(work, ChatWork) or not (job.files or work.citations):
            return []
        rules = _overridden(backend)
        seen: list[PdfFacts] = []

        def facts(one: Attached) -> PdfFacts | None:
            if self._can_look is None:
                self._can_look = available()
            if not self._can_look:
                self._once("pypdf", "pages and text of PDFs are not checked: install batchtui[docs]")
                return None
            known = self._looker.look(one, text=work.citations)
            if known.late:
                self._once("late", "some PDFs are sent without a look at their pages: that took too long")
            seen.append(known)
            return known

        faults = check_files(work, job.files, rules, backend.name, facts)
        if not faults and rules:
            for text in warnings(job.files, rules, seen):
                self._once(text, text)
            for one in job.files:
                self._temporary(one.path)
        return faults

    def _temporary(self, path: Path) -> None:
        folder = os.path.dirname(path)
        if folder in self._places:
            return
        self._places.add(folder)
        place = os.path.realpath(folder)
        root = next((root for root in TEMPORARY if place == root or place.startswith(root + os.sep)), None)
        if root:
            self._once(root, f"files in {root} may be gone when the batch is resumed; their jobs would fail")

    def _once(self, key: str, text: str) -> None:
        if key not in self._told:
            self._told.add(key)
            self._warn(text)


def _overridden(backend: AnyBackend) -> FileRules | None:
    """The kind's rules with what the backend's table says instead."""
    rules, settings = backend.file_rules(), backend.setup.settings
    if rules is not None and isinstance(settings, ModelSettings):
        if settings.file_bytes is not None:
            rules = replace(rules, request_bytes=settings.file_bytes)
        if settings.pdf_pages is not None:
            rules = replace(rules, pages=settings.pdf_pages)
    return rules
