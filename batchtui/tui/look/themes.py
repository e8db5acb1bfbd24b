"""The app's own two themes, and those that lie in the configuration's folder."""

from __future__ import annotations

from textual.theme import Theme

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
