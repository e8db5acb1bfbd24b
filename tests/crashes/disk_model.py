"""A disk that keeps what was fsynced and may lose the rest, so that what a power cut leaves can be built at any step.

As POSIX promises, and no more: the bytes of a file last once that file was fsynced, its name once its folder was.
What was not may be there all the same, in whole or in part, since a system writes when it likes.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from pathlib import Path

from tests.crashes.disk_log import Step

BYTES = ("dropped", "torn", "zeros", "holes", "kept", "mixed")
BLOCK = 512
NAMES = ("dropped", "some", "kept")


@dataclass(eq=False)
class File:
    data: bytes = b""
    synced: bytes = b""
    syncing: bytes = b""

    def after(self, how: str, chance: random.Random) -> bytes:
        """What is left of it: nothing that was not fsynced, a part of that, zeros in place of some or all, or all."""
        if how == "mixed":
            how = chance.choice(BYTES[:-1])
        if how == "dropped" or (how != "kept" and not self.data.startswith(self.synced)):
            return self.synced
        rest = self.data[len(self.synced) :]
        if how == "torn":
            rest = rest[: chance.randint(0, len(rest))]
        elif how == "zeros":
            rest = bytes(len(rest))
        elif how == "holes":  # blocks are written in any order
            blocks = [rest[at : at + BLOCK] for at in range(0, len(rest), BLOCK)]
            rest = b"".join(block if chance.random() < 0.5 else bytes(len(block)) for block in blocks)
        return self.synced + rest


@dataclass(eq=False)
class Folder:
    names: dict[str, Node] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    syncing: int = 0


Node = File | Folder


@dataclass(eq=False)
class Change:
    """Names that come and go together, in their folders; None: gone."""

    of: list[tuple[Folder, str, Node | None]]
    durable: bool = False


class Disk:
    """Every step that is taken changes it; `cut` builds what a power cut at this moment leaves."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self._top = Folder()
        self._changes: list[Change] = []

    def take(self, step: Step) -> None:
        match step.kind:
            case "make":
                if self._find(step.path) is None:
                    self._change((step.path, File()))
            case "folder":
                self._change((step.path, Folder()))
            case "move":
                self._change((step.path, None), (step.other, self._find(step.path)))
            case "remove":
                self._change((step.path, None))
            case "write":
                file = self._file(step.path)
                file.data += step.data
            case "cut":
                file = self._file(step.path)
                file.data = file.data[: step.size] + bytes(max(0, step.size - len(file.data)))
            case "sync_begins":
                self._sync_begins(self._find(step.path))
            case "sync":
                self._sync(self._find(step.path))
            case _:
                raise AssertionError(f"a call that is not modelled: {step.other} of {step.path}")

    def _find(self, path: str) -> Node | None:
        node: Node | None = self._top
        for name in path[len(self.root) :].split("/")[1:]:
            node = node.names.get(name) if isinstance(node, Folder) else None
        return node

    def _file(self, path: str) -> File:
        node = self._find(path)
        assert isinstance(node, File), path
        return node

    def _change(self, *named: tuple[str, Node | None]) -> None:
        change = Change([])
        for path, node in named:
            folder = self._find(os.path.dirname(path))
            assert isinstance(folder, Folder), path
            name = os.path.basename(path)
            change.of.append((folder, name, node))
            folder.changes.append(change)
            if node is None:
                folder.names.pop(name, None)
            else:
                folder.names[name] = node
        self._changes.append(change)

    def _sync_begins(self, node: Node | None) -> None:
        if isinstance(node, File):
            node.syncing = node.data
        elif node is not None:
            node.syncing = len(node.changes)

    def _sync(self, node: Node | None) -> None:
        if isinstance(node, File):
            node.synced = node.syncing
        elif node is not None:
            for change in node.changes[: node.syncing]:
                change.durable = True

    def cut(self, target: Path, how: str, names: str, chance: random.Random) -> None:
        """Build in `target` what is left: of bytes as `how` says, of names those that last, some of the others, or all."""
        most = {"dropped": 0, "kept": len(self._changes)}.get(names)
        most = chance.randint(0, len(self._changes)) if most is None else most
        tree: dict[Folder, dict[str, Node]] = {}
        for number, change in enumerate(self._changes):
            if change.durable or number < most:
                for folder, name, node in change.of:
                    entries = tree.setdefault(folder, {})
                    if node is None:
                        entries.pop(name, None)
                    else:
                        entries[name] = node
        _build(target, self._top, tree, how, chance)


def _build(
    path: Path, folder: Folder, tree: dict[Folder, dict[str, Node]], how: str, chance: random.Random
) -> None:
    path.mkdir(mode=0o700, parents=True)
    for name, node in tree.get(folder, {}).items():
        if isinstance(node, Folder):
            _build(path / name, node, tree, how, chance)
        else:
            (path / name).write_bytes(node.after(how, chance))
            (path / name).chmod(0o600)
