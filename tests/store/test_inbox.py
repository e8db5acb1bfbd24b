"""inbox.jsonl: any process appends, nothing is torn, and nonsense does no harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchtui.errors import StoreDamaged
from batchtui.store.files import inbox
from batchtui.store.files.inbox import Command
from tests.store.store_help import again, drive, finished, make, python

POSTER = """
import sys
from pathlib import Path
from batchtui.store.files import inbox
folder, who = Path(sys.argv[1]), sys.argv[2]
sys.stdin.readline()
for n in range(300):
    print(inbox.post(folder, inbox.Command(command="tag", args={"who": who, "n": n, "pad": "x" * (n * 7)})))
"""


def test_four_processes_append_at_once(tmp_path: Path) -> None:
    posters = [python(POSTER, tmp_path, who) for who in range(4)]
    for poster in posters:
        assert poster.stdin is not None
        poster.stdin.write("go\n")
        poster.stdin.flush()
    said = {str(who): [int(line) for line in finished(poster).split()] for who, poster in enumerate(posters)}
    found: dict[str, list[int]] = {who: [] for who in said}
    counts: dict[str, int] = dict.fromkeys(said, 0)
    for end, command in inbox.read(tmp_path, 0):
        assert command is not None
        who = command.args["who"]
        assert command.args["n"] == counts[who]
        assert command.args["pad"] == "x" * (7 * counts[who])
        counts[who] += 1
        found[who].append(end)
    assert found == said
    assert set(counts.values()) == {300}
    assert list(tmp_path.iterdir()) == [tmp_path / "inbox.jsonl"]


def test_read_on_from_an_offset(tmp_path: Path) -> None:
    ends = [inbox.post(tmp_path, Command(command=word)) for word in ("cancel", "pause", "resume")]
    rest = [(end, command and command.command) for end, command in inbox.read(tmp_path, ends[0])]
    assert rest == [(ends[1], "pause"), (ends[2], "resume")]
    assert list(inbox.read(tmp_path, ends[-1])) == []
    assert list(inbox.read(tmp_path, ends[-1] + 100)) == []
    assert ends[-1] == (tmp_path / "inbox.jsonl").stat().st_size


def test_an_inbox_that_is_not_there(tmp_path: Path) -> None:
    assert list(inbox.read(tmp_path, 0)) == []


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"[]",
        b"null",
        b"\xff",
        b"{}",
        b'{"command":5}',
        b'{"command":"x","args":[]}',
        b"[" * 99_999,
    ],
)
def test_nonsense_is_none_and_the_next_line_counts(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "inbox.jsonl").write_bytes(line + b"\n")
    end = inbox.post(tmp_path, Command(command="cancel"))
    (nonsense, command) = inbox.read(tmp_path, 0)
    assert nonsense == (len(line) + 1, None)
    assert command[0] == end
    assert command[1] is not None
    assert command[1].command == "cancel"


def test_lone_halves_of_an_emoji_in_an_id(tmp_path: Path) -> None:
    inbox.post(tmp_path, Command(command="cancel", args={"jobs": ["\ud83d", "\u2028\n"]}))
    ((_, command),) = inbox.read(tmp_path, 0)
    assert command is not None
    assert command.args == {"jobs": ["\ud83d", "\u2028\n"]}


def test_a_line_that_a_dead_process_left_unfinished(tmp_path: Path) -> None:
    first = inbox.post(tmp_path, Command(command="pause"))
    with (tmp_path / "inbox.jsonl").open("ab") as file:
        file.write(b'{"command":"canc')
    assert len(list(inbox.read(tmp_path, 0))) == 1
    inbox.post(tmp_path, Command(command="resume"))
    assert [command.command for _, command in inbox.read(tmp_path, 0) if command] == ["pause", "resume"]
    assert (tmp_path / f"inbox.jsonl.torn-{first}").read_bytes() == b'{"command":"canc'


def test_a_link_is_refused(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "inbox.jsonl").symlink_to(victim)
    with pytest.raises(StoreDamaged, match="symbolic link"):
        inbox.post(tmp_path, Command(command="cancel"))
    assert victim.read_text() == "mine"


def test_the_driver_reads_each_command_once(tmp_path: Path) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    assert writer.new_commands() == []
    inbox.post(folder.path, Command(command="pause"))
    with (folder.path / "inbox.jsonl").open("ab") as file:
        file.write(b"nonsense\n")
    commands = writer.new_commands()
    assert [command and command.command for _, command in commands] == ["pause", None]
    writer.record("inbox", upto=commands[-1][0])
    assert writer.new_commands() == []
    writer.close()
    writer = drive(again(folder))
    assert writer.new_commands() == []
    inbox.post(folder.path, Command(command="resume"))
    ((_, command),) = writer.new_commands()
    assert command is not None
    assert json.loads((folder.path / "inbox.jsonl").read_bytes().splitlines()[0])["time"].endswith("Z")
    writer.close()


def test_a_file_that_lost_what_was_obeyed_goes_on_from_there(tmp_path: Path) -> None:
    folder = make(tmp_path)
    writer = drive(folder)
    inbox.post(folder.path, Command(command="pause"))
    ((upto, _),) = writer.new_commands()
    writer.record("inbox", upto=upto)
    (folder.path / "inbox.jsonl").unlink()
    end = inbox.post(folder.path, Command(command="resume"), upto)
    assert end > upto
    ((at, command),) = writer.new_commands()
    assert (at, command and command.command) == (end, "resume")
    writer.close()
