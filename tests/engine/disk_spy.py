"""What of a batch's journal was on the disk when a backend was spoken to: every fsync and every call, in order."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from batchtui.backends.base import Job, Note, Progress, Remote, Submission
from batchtui.model import Json
from batchtui.store.disk import commit

Events = list[dict[str, Json]]


class DiskSpy:
    """Lines that nobody waits for are never committed by themselves here, so that what is on disk was waited for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self._synced: dict[tuple[int, int], int] = {}
        self.syncs = 0
        self.creates: list[tuple[str, Events]] = []
        """Of each create: its token, and the journal as it was on the disk before it."""
        self.looks: list[tuple[str, Events]] = []
        """Of each submission's first poll: its remote id, and the journal as it was on the disk before it."""
        monkeypatch.setattr(commit, "GROUP_SECONDS", 3600.0)
        really = os.fsync

        def fsync(fd: int) -> None:
            before = os.fstat(fd)  # what is written meanwhile may have missed it
            really(fd)
            self.syncs += 1
            self._synced[before.st_dev, before.st_ino] = before.st_size

        monkeypatch.setattr(os, "fsync", fsync)

    def on_disk(self, path: Path) -> Events:
        """The events of this journal that would be there after a power cut."""
        if not path.exists():
            return []
        data = path.read_bytes()[: self.lasts(path)]
        return [json.loads(line) for line in data.splitlines()]

    def lasts(self, path: Path) -> int:
        """How many bytes of the file would be there after a power cut."""
        facts = path.stat()
        return self._synced.get((facts.st_dev, facts.st_ino), 0)

    def watch(self, kind: type[Remote[Any]], journal: Callable[[], Path]) -> None:
        """Look at the journal whenever a backend of this kind creates, or first asks how a submission fares."""
        submit, poll = kind.submit, kind.poll
        seen: set[str] = set()

        async def spied_submit(
            backend: Remote[msgspec.Struct],
            submission: Submission,
            jobs: Sequence[Job[msgspec.Struct]],
            note: Note,
        ) -> str:
            self.creates.append((submission.token, self.on_disk(journal())))
            return await submit(backend, submission, jobs, note)

        async def spied_poll(
            backend: Remote[msgspec.Struct], submissions: Sequence[Submission]
        ) -> dict[int, Progress]:
            for submission in submissions:
                if submission.remote_id and submission.remote_id not in seen:
                    seen.add(submission.remote_id)
                    self.looks.append((submission.remote_id, self.on_disk(journal())))
            return await poll(backend, submissions)

        self._patch.setattr(kind, "submit", spied_submit)
        self._patch.setattr(kind, "poll", spied_poll)
