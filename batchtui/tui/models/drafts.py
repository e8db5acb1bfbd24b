"""Unsaved forms on the disk, one file each: what was typed outlives the app, however it ends. No Textual here."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from batchtui import typed
from batchtui.durable import make_folder
from batchtui.masking import mask
from batchtui.store.disk.clock import now as stamp_now
from batchtui.store.disk.lines import StoreFull, replace_file
from batchtui.tui.models.compose_model import Form

FOLDER = "drafts"
SCHEMA = 1
SAVE_SECONDS = 0.5
"""From the first key that is not on the disk: so that two seconds are the most that are lost."""
MOST = 20
"""Drafts that are kept; the oldest gives way."""


class Draft(msgspec.Struct, kw_only=True):
    """A form as it stood. `values` is what the fields hold, `elsewhere` what of it a batch file brought."""

    id: str
    time: str
    base: str
    path: str | None = None
    values: dict[str, str] = {}
    other: str = ""
    elsewhere: dict[str, str] | None = None
    aside: bool = False
    """Another form took its place: it comes back only when it is asked for."""
    owner: str = ""
    """Whoever has it open, by the name of the lock that is held meanwhile."""
    schema: int = SCHEMA

    @property
    def name(self) -> str:
        """What it is a draft of."""
        if self.path:
            return Path(self.path).name
        source = Path(self.values.get("source.file", "")).stem
        return self.values.get("name") or source or "a form without a name"

    @property
    def words(self) -> str:
        """What tells it from others: the first line of its work."""
        keys = ("job.prompt", "job.command", "job.call", "job.task", "source.file", "job.system")
        return next((text.splitlines()[0] for key in keys if (text := self.values.get(key, "").strip())), "")

    def form(self, kind_of: Callable[[str | None], str | None]) -> Form:
        base = Path(self.base) if os.path.isdir(self.base) else Path.cwd()
        form = Form(
            values=dict(self.values), other=self.other, base=base, path=Path(self.path) if self.path else None
        )
        return replace(form, kind=kind_of(form.backend))


class Drafts:
    """The form in front, and those before it. `note` and the like are for the screen's thread, `flush` for any."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER
        self._writing = threading.Lock()
        self._owner, self._lock_fd = "", -1
        self._id = ""
        self._first: Form | None = None
        self._form: Form | None = None
        self._elsewhere: dict[str, str] | None = None
        self._pending = False
        self._timer: threading.Timer | None = None

    # ---- the form in front

    def begin(self, form: Form, elsewhere: dict[str, str] | None, draft: Draft | None = None) -> None:
        """This form is in front now; what was typed into the one before it is kept, and put aside."""
        self._put_aside()
        self._id = draft.id if draft else _id_of(form.path)
        self._first, self._form, self._elsewhere, self._pending = (
            None if draft else form,
            form,
            elsewhere,
            False,
        )
        if draft:  # it is ours now
            self._pending = True
            self.flush()

    def note(self, form: Form, elsewhere: dict[str, str] | None) -> None:
        """The form stands like this now; written soon, whatever the screen is at, and not put off by further keys."""
        if self._id and form != self._form:
            self._form, self._elsewhere, self._pending = form, elsewhere, True
            if self._timer is None:
                self._timer = threading.Timer(SAVE_SECONDS, self._due)
                self._timer.daemon = True
                self._timer.start()

    def _due(self) -> None:
        self._timer = None
        self.flush()

    def done(self) -> None:
        """It was submitted or saved: there is nothing to keep of it."""
        with self._writing:
            self._pending = False
            self._forget(self._id)
            self._id = ""

    @property
    def pending(self) -> bool:
        return self._pending

    def _put_aside(self) -> None:
        form = self._form
        if not self._id or form is None or self._is_nothing(form):
            return
        with self._writing:
            self._pending = False
            before = self._id
            self._id = _id_of(None)  # what is typed into that file's form from now on is another draft
            if self._write(self._draft(form)):  # a disk that takes nothing leaves what it has
                self._forget(before)

    def flush(self) -> None:
        """Write what was typed since the last one. A disk that takes nothing costs the draft, never the form."""
        with self._writing:
            form = self._form
            if not self._pending or form is None or not self._id:
                return
            self._pending = False
            if self._is_nothing(form):
                self._forget(self._id)
            else:
                self._write(self._draft(form, owner=self._own()))

    def _is_nothing(self, form: Form) -> bool:
        """Whether it stands as it was given, or holds nothing that was typed."""
        if self._first is not None:
            return (form.values, form.other) == (self._first.values, self._first.other)
        return not form.other and not form.values.keys() - {"backend", "work"}

    def _draft(self, form: Form, owner: str = "") -> Draft:
        """Without an owner it is put aside."""
        return Draft(
            id=self._id, time=stamp_now(), base=str(form.base), path=str(form.path.absolute()) if form.path else None,
            values={key: mask(text) for key, text in form.values.items()}, other=mask(form.other),
            elsewhere=self._elsewhere, aside=not owner, owner=owner,
        )  # fmt: skip

    # ---- on the disk

    def all(self) -> list[Draft]:
        """Those that nobody has open, the newest first."""
        found = [draft for path in self._folder.glob("*.json") if (draft := _read(path))]
        free = [one for one in found if one.id != self._id and not self._is_open(one)]
        return sorted(free, key=lambda one: one.time, reverse=True)

    def newest(self) -> Draft | None:
        """The one that comes back by itself."""
        return next((one for one in self.all() if not one.aside), None)

    def of(self, path: Path) -> Draft | None:
        """What was typed into this batch file's form and not saved."""
        wanted = _id_of(path)
        return next((one for one in self.all() if one.id == wanted and not one.aside), None)

    def close(self) -> None:
        """The app leaves: what is in front comes back next time."""
        self.flush()
        if self._lock_fd >= 0:
            with contextlib.suppress(OSError):
                os.unlink(self._folder / self._owner)
            os.close(self._lock_fd)
            self._lock_fd = -1

    def _write(self, draft: Draft) -> bool:
        """Whether it is on the disk."""
        try:
            make_folder(self._folder)
            data = json.dumps(msgspec.to_builtins(draft)).encode() + b"\n"
            replace_file(self._folder / f"{draft.id}.json", data, durable=False)
        except (OSError, StoreFull):
            return False
        with contextlib.suppress(OSError):
            self._make_room()
        return True

    def _make_room(self) -> None:
        paths = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in paths[MOST:]:
            path.unlink(missing_ok=True)

    def _forget(self, draft_id: str) -> None:
        if draft_id:
            with contextlib.suppress(OSError):
                (self._folder / f"{draft_id}.json").unlink(missing_ok=True)

    def _own(self) -> str:
        """The name of a lock that is held while this process lives."""
        if self._lock_fd < 0:
            name = f"open-{secrets.token_hex(6)}"
            with contextlib.suppress(OSError):
                make_folder(self._folder)
                self._lock_fd = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._owner = name
        return self._owner

    def _is_open(self, draft: Draft) -> bool:
        """Whether another app has it open. What a killed one left of its lock goes."""
        name = draft.owner
        if not name.startswith("open-") or "/" in name or name == self._owner:
            return False
        try:
            fd = os.open(self._folder / name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(self._folder / name)
        except OSError:
            return True
        finally:
            os.close(fd)
        return False


def _id_of(path: Path | None) -> str:
    """The same for the same batch file, so that a form has one draft; of other forms each its own."""
    if path is None:
        return f"form-{secrets.token_hex(8)}"
    return f"file-{hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:20]}"


def _read(path: Path) -> Draft | None:
    try:
        draft = typed.convert(json.loads(path.read_bytes()), Draft)
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return None
    return draft if draft.id == path.stem and draft.schema == SCHEMA else None
