"""A read-only view of text whose cost is what is seen: wraps once per width, draws only visible lines, finds text."""

from __future__ import annotations

import re

from rich.segment import Segment
from textual.binding import Binding
from textual.content import Content, Span
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

_HIT, _HIT_HERE = "$text on $primary 40%", "bold $background on $warning"
_HITS_LIMIT = 10_000


class TextView(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows content that was cleaned and cut before (`outside.shown_page`, `text.page`)."""

    DEFAULT_CSS = """
    TextView { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; overflow-x: hidden; }
    TextView:focus { background-tint: $foreground 3%; }
    """
    BINDINGS = [
        Binding("up", "scroll_up", show=False, id="view.up"),
        Binding("down", "scroll_down", show=False, id="view.down"),
        Binding("pageup", "page_up", show=False, id="view.page_up"),
        Binding("pagedown,space", "page_down", show=False, id="view.page_down"),
        Binding("home", "scroll_home", show=False, id="view.home"),
        Binding("end", "scroll_end", show=False, id="view.end"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._text: list[Content] = [Content()]
        self._lines: list[Content] = []
        self._starts: list[int] = []
        self._laid_out = -1
        self._hits: list[tuple[int, int, int]] = []
        self._hit = -1

    # ---- what it shows

    def show(self, content: Content, *, keep_place: bool = False) -> None:
        """Replace the text; `keep_place` stays at the same line."""
        self._text = list(content.split("\n", allow_blank=True)) or [Content()]
        self._hits, self._hit = [], -1
        self._lay_out()
        if not keep_place:
            self.scroll_to(0, 0, animate=False, immediate=True)

    @property
    def plain(self) -> str:
        """The text shown, unwrapped."""
        return "\n".join(line.plain for line in self._text)

    def find(self, wanted: str) -> int:
        """Mark every place of `wanted`, whatever its case, and go to the first; how many there are."""
        self._hits, self._hit = [], -1
        if wanted:
            pattern = re.compile(re.escape(wanted), re.IGNORECASE)
            self._hits = [
                (number, match.start(), match.end())
                for number, line in enumerate(self._text)
                for match in pattern.finditer(line.plain)
            ][:_HITS_LIMIT]
        self.step(1)
        return len(self._hits)

    @property
    def hits(self) -> tuple[int, int]:
        """Which hit is shown, from 1, and how many there are."""
        return self._hit + 1, len(self._hits)

    def step(self, by: int) -> None:
        """Go to the next hit (`by` -1: the one before), round the end."""
        if self._hits:
            self._hit = (self._hit + by) % len(self._hits) if self._hit >= 0 else 0
        self._lay_out()
        if self._hits:
            self.scroll_to_region(Region(0, self._line_of_hit(), 1, 1), animate=False, center=True)

    def _line_of_hit(self) -> int:
        first = self._starts[self._hits[self._hit][0]] if self._starts else 0
        for number, line in enumerate(self._lines[first:], first):
            if any(span.style == _HIT_HERE for span in line.spans):
                return number
        return first

    # ---- drawing

    def _marked(self) -> list[Content]:
        """The lines with their hits in colour."""
        by_line: dict[int, list[tuple[int, int, str]]] = {}
        for number, (line, start, end) in enumerate(self._hits):
            by_line.setdefault(line, []).append((start, end, _HIT_HERE if number == self._hit else _HIT))
        marked = list(self._text)
        for line, places in by_line.items():
            marked[line] = marked[line].add_spans([Span(*place) for place in places])
        return marked

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        self._laid_out = width
        self._lines, self._starts = [], []
        if width > 0:
            for line in self._marked():
                self._starts.append(len(self._lines))
                self._lines += line.expand_tabs(8).wrap(width) if line else [line]
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def on_resize(self) -> None:
        if self._laid_out != self.scrollable_content_region.width:
            self._lay_out()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if self._laid_out != width:
            self.call_after_refresh(self.on_resize)
        at = y + self.scroll_offset.y
        style = self.visual_style
        if at >= len(self._lines):
            return Strip.blank(width, style.rich_style)
        segments: list[Segment] = self._lines[at].render_segments(style)
        return Strip(segments).adjust_cell_length(width, style.rich_style)
