"""Themes of one's own: a file a theme, beside the configuration; one that is none is told and left out."""

from __future__ import annotations

from pathlib import Path

from batchtui.store.library import Library
from batchtui.tui.look import themes
from tests.tui.samples import app_over
from tests.tui.waiting import until


def test_files_are_themes_and_faults_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "sea.toml").write_text(
        'primary = "#0b7285"\nbackground = "black"\n[variables]\nborder = "red"\n'
    )
    (tmp_path / "typo.toml").write_text('primry = "#0b7285"\n')
    (tmp_path / "colour.toml").write_text('primary = "sea\x1b[2J"\n'.replace("\x1b", "\\u001b"))
    (tmp_path / "empty.toml").write_text("")
    (tmp_path / "broken.toml").write_text("primary = \n")
    (tmp_path / "note.txt").write_text("no theme")
    found, faults = themes.from_folder(tmp_path)
    assert [theme.name for theme in found] == ["sea"]
    assert found[0].variables == {"border": "red"}
    assert [fault.partition(" is left out")[0] for fault in faults] == [
        "theme broken.toml", "theme colour.toml", "theme empty.toml", "theme typo.toml",
    ]  # fmt: skip
    assert "\x1b" not in "".join(faults)
    assert 'is no colour, such as "#5aa9e6"' in faults[1]
    assert 'there is no key "primry"; did you mean "primary"?' in faults[3]
    assert themes.from_folder(tmp_path / "nowhere") == ([], [])


async def test_one_is_chosen_by_its_name(library: Library) -> None:
    app = app_over(library)
    folder = app.config.path.parent / "themes"
    folder.mkdir(parents=True)
    (folder / "sea.toml").write_text('primary = "#0b7285"\n')
    (folder / "bad.toml").write_text('primary = "x"\n')
    app.config.ui = {"theme": "sea"}
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: any("theme bad.toml is left out" in line for _, line in app.notes))
        assert app.theme == "sea"
        assert app.theme_variables["primary"].lower() == "#0b7285"
