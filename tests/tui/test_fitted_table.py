"""Backends and what lives there, at every width: what tells rows apart is on the screen, and no two read alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from batchtui.backends.base import Probe, RemoteBatch
from batchtui.config import BackendConfig
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.setup.backends import BackendsScreen
from batchtui.tui.screens.setup.remote import Found, RemoteScreen
from batchtui.tui.widgets.tables.fitted_table import apart
from tests.tui.samples import NOW, sample_config
from tests.tui.waiting import screen_text, until

SIZES = pytest.mark.parametrize(
    "size", [(60, 16), (80, 24), (160, 48)], ids=lambda size: f"{size[0]}x{size[1]}"
)


@pytest.mark.parametrize(
    "values",
    [
        ["batch_" + "0" * 30 + tail for tail in ("a", "b")],
        [f"msgbatch_{middle}_the_same_end_of_every_one" for middle in ("one", "two", "three")],
        ["a" * 60 + middle + "z" * 60 for middle in ("", "q", "qq", "r")],
        ["same", "same", "short"],
        ["x" * 40, "x" * 41, "x" * 42],
    ],
)
@pytest.mark.parametrize("width", [8, 12, 28])
def test_what_is_cut_is_still_told_apart(values: list[str], width: int) -> None:
    cut = apart(values, width)
    assert len(set(cut.values())) == len(set(values))
    assert all(len(words) <= width for words in cut.values())


def test_what_fits_is_whole_and_one_alone_shows_both_ends() -> None:
    assert apart(["abc", "abd"], 8) == {"abc": "abc", "abd": "abd"}
    assert apart(["batch_0123456789abcdef"], 12) == {"batch_0123456789abcdef": "batch_…bcdef"}


def an_app(tmp_path: Path) -> BatchtuiApp:
    config = sample_config(tmp_path, "openai", "local")
    for end in ("west", "east"):
        name = f"our-own-gateway-in-europe-{end}"
        config.backends[name] = BackendConfig(
            name=name, kind="chat", table={"kind": "chat"}, origin="config.toml"
        )
    return BatchtuiApp(config, Library(tmp_path / "data").data_dir, worker=False, now=lambda: NOW)


def lines(pilot: Pilot[None]) -> list[str]:
    return screen_text(pilot).splitlines()


@SIZES
async def test_backends_show_their_names_and_whether_they_answer(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = an_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        screen = BackendsScreen()
        await app.push_screen(screen)
        await until(pilot, lambda: "not asked yet" in screen_text(pilot))
        assert sum("not asked yet" in line for line in lines(pilot)) == 4
        screen.post_message(BackendsScreen.Answered("openai", Probe(ok=False, message="the key was refused")))
        screen.post_message(
            BackendsScreen.Answered("our-own-gateway-in-europe-east", Probe(ok=True, message="answers"))
        )
        await until(
            pilot, lambda: any("openai" in line and "the key was refused" in line for line in lines(pilot))
        )
        await until(pilot, lambda: any("east" in line and "✓ answers" in line for line in lines(pilot)))
        assert any("west" in line and "not asked yet" in line for line in lines(pilot))
        await pilot.press("down", "down")
        await until(pilot, lambda: "our-own-gateway-in-europe-west" in screen_text(pilot))
        assert screen.table.cursor_row == 2, lines(pilot)


@SIZES
async def test_what_lives_there_is_told_apart_by_id_and_name(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [f"msgbatch_01HkcTjaV5uDC8jWR4ZsDV{n}8d_of_the_team" for n in range(4)]
    found = [
        Found(
            RemoteBatch(
                remote_id=one, status="ended", name=f"nightly evaluation of the {word} set", jobs=120
            ),
            None,
        )
        for one, word in zip(ids, ("large", "small", "old", "new"), strict=True)
    ]
    monkeypatch.setattr(RemoteScreen, "action_remote_list", lambda _: None)
    app = an_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        screen = RemoteScreen("openai")
        await app.push_screen(screen)
        screen.post_message(RemoteScreen.Listed(found))
        await until(pilot, lambda: "NAME" in screen_text(pilot) and "8d_of" in screen_text(pilot))
        rows = [line.split("_the_team") for line in lines(pilot) if "ended" in line]
        assert ["8d_of" in row[0] for row in rows] == [True] * 4
        assert len({row[0] for row in rows}) == len({row[1] for row in rows}) == 4
        assert any("msgbatch_" in row[0] for row in rows)
