"""The limits of a batch, changed while it runs: what it may cost and how long it may take."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from batchtui import typed
from batchtui.limit_ranges import limit_problems
from batchtui.model import Json, LimitsSpec
from batchtui.tui.screens.asking.dialogs import Dialog
from batchtui.tui.widgets.outside import shown

FIELDS = (("cost_usd", "Cost", "USD for the whole batch, no limit"), ("time", "Time", "such as 2h, no limit"))


class LimitDialog(Dialog[dict[str, Json]]):
    """Answers the limits that changed, None for one that was taken away."""

    def __init__(self, title: str, body: str, limits: LimitsSpec) -> None:
        super().__init__(title, body)
        self._limits = limits

    def answers(self) -> ComposeResult:
        for key, label, hint in FIELDS:
            with Horizontal(classes="dialog-field"):
                yield Static(shown(label), classes="dialog-label")
                yield Input(self._shown(key), placeholder=hint, compact=True, id=key)
        yield Static(id="dialog-fault")
        yield Static(shown("tab next, enter accepts, esc leaves everything as it is", "dim"))

    def on_mount(self) -> None:
        self.query_one("#cost_usd").focus()

    def _shown(self, key: str) -> str:
        value = getattr(self._limits, key)
        return f"{value:g}" if isinstance(value, int | float) else value or ""

    @on(Input.Submitted)
    def accept(self) -> None:
        changed: dict[str, Json] = {}
        for key, _, _ in FIELDS:
            text = self.query_one(f"#{key}", Input).value.strip()
            if text != self._shown(key):
                changed[key] = _value(key, text)
        if fault := _fault(changed):
            self.query_one("#dialog-fault", Static).update(shown(f"! {fault}", "$text-error"))
            return
        self.dismiss(changed)


def _value(key: str, text: str) -> Json:
    if not text:
        return None
    try:
        return float(text.removeprefix("$")) if key == "cost_usd" else float(text)
    except ValueError:
        return text


def _fault(changed: dict[str, Json]) -> str | None:
    if isinstance(changed.get("cost_usd"), str):
        return f'cost: expected an amount in US dollars, got "{changed["cost_usd"][:40]}"'
    problems = limit_problems(typed.convert(_given(changed), LimitsSpec), None, "limit")
    return f"{(problems[0].key or '').partition('.')[2]}: {problems[0].message}" if problems else None


def _given(changed: dict[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in changed.items() if value is not None}
