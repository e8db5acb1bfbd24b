"""The app's own two themes, and those of the user: `themes/NAME.toml` beside the configuration."""

from __future__ import annotations

from pathlib import Path

import msgspec
from textual.color import Color, ColorParseError
from textual.theme import Theme

from batchtui import typed
from batchtui.errors import BatchtuiError, nearest
from batchtui.text import cell
from batchtui.toml_file import read_toml

DARK = Theme(
    name="batchtui",
    primary="#5aa9e6",
    secondary="#3b6ea5",
    accent="#e8b04b",
    warning="#e8b04b",
    error="#ef6f6c",
    success="#6cc58a",
    foreground="#d7dde5",
    background="#11151b",
    surface="#191f27",
    panel="#212934",
    variables={
        "block-cursor-background": "#27506f",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#212934",
        "scrollbar": "#37424f",
        "scrollbar-background": "#11151b",
    },
)
LIGHT = Theme(
    name="batchtui-light",
    primary="#1f6fb2",
    secondary="#0b4f86",
    accent="#9a5b00",
    warning="#9a5b00",
    error="#b3261e",
    success="#1d7a3e",
    foreground="#1f2630",
    background="#fbfbf9",
    surface="#f1f2f0",
    panel="#e4e7e8",
    dark=False,
    variables={
        "block-cursor-background": "#bcdcf5",
        "block-cursor-foreground": "#0b2239",
        "block-cursor-blurred-background": "#e4e7e8",
        "scrollbar": "#b9c0c6",
        "scrollbar-background": "#fbfbf9",
    },
)
OWN = (DARK, LIGHT)


class _Own(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a file of a theme may say; colours as `#5aa9e6`, `rgb(…)` or by name."""

    primary: str
    secondary: str | None = None
    accent: str | None = None
    warning: str | None = None
    error: str | None = None
    success: str | None = None
    foreground: str | None = None
    background: str | None = None
    surface: str | None = None
    panel: str | None = None
    dark: bool = True
    variables: dict[str, str] = {}


def from_folder(folder: Path) -> tuple[list[Theme], list[str]]:
    """Themes of `NAME.toml` files, and a sentence for each that is none. Raises nothing."""
    found: list[Theme] = []
    faults: list[str] = []
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
        try:
            found.append(_theme(path))
        except (BatchtuiError, OSError, ValueError, TypeError) as fault:
            faults.append(f"theme {cell(path.name)} is left out: {cell(fault, 200)}")
    return found, faults


def _theme(path: Path) -> Theme:
    """Raises BatchtuiError, ValueError."""
    table = read_toml(path)
    if unknown := next((key for key in table if key not in _Own.__struct_fields__), None):
        raise ValueError(f'there is no key "{unknown}"{nearest(unknown, _Own.__struct_fields__)}')
    own = typed.convert(table, _Own)
    for name, value in msgspec.structs.asdict(own).items():
        if isinstance(value, str):
            try:
                Color.parse(value)
            except ColorParseError:
                raise ValueError(f'{name}: "{value}" is no colour, such as "#5aa9e6"') from None
    theme = Theme(name=path.stem, **msgspec.structs.asdict(own))
    theme.to_color_system().generate()
    return theme
