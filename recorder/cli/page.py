"""A page about one thing: headings, fields, and blocks of foreign text behind a gutter."""

from __future__ import annotations

from rich.console import Console
from rich.style import StyleType
from rich.text import Text

from .text import styled, styled_block

_LABEL = 11
_WIDEST = 110
_MOST_LINES = 24
_MOST_CHARACTERS = 1600


class Page:
    """Prints a page; long texts are cut unless `full`, and `cut` says whether one was."""

    def __init__(self, console: Console, *, full: bool = False) -> None:
        self.console = console
        self.full = full
        self.cut = False
        self.width = min(console.width, _WIDEST)

    def heading(self, title: str, note: str = "") -> None:
        """An empty line and a title, with a dim remark behind it."""
        text = Text(title, style="bold")
        if note:
            text = Text().append_text(text).append("  ").append_text(styled(note, "dim"))
        self.console.print()
        self.console.print(text)

    def field(self, name: str, value: Text | str | None) -> None:
        """A label and its value; nothing where there is no value."""
        if not value:
            return
        text = value if isinstance(value, Text) else styled(value)
        if not self.full and len(text) > _MOST_CHARACTERS:
            self.cut = True
            text = text[:_MOST_CHARACTERS].append(" …", "dim")
        for index, line in enumerate(text.wrap(self.console, max(20, self.width - _LABEL - 3))):
            label = Text(f"  {name if index == 0 else '':<{_LABEL}} ", style="dim")
            self._line(Text().append_text(label).append_text(line))

    def line(self, text: Text) -> None:
        """One line, wrapped where the page ends."""
        for line in text.wrap(self.console, self.width):
            self._line(line)

    def block(self, title: Text, text: str | None, style: StyleType = "") -> None:
        """A title and, behind a gutter that nothing in it can leave, a text."""
        title.truncate(self.width - 2, overflow="ellipsis")
        self._gutter(title, "╷ ")
        if text:
            shown, left_out = (text, 0) if self.full else _cut(text)
            for part in styled_block(shown, style).split("\n", allow_blank=True):
                part.expand_tabs(4)
                for line in part.wrap(self.console, self.width - 2) or [Text()]:
                    self._gutter(line, "│ ")
            if left_out:
                self.remark(f"… {left_out:,} more characters")

    def remark(self, text: str) -> None:
        """A dim line of our own in a block, about what was cut."""
        self.cut = True
        self._gutter(Text(text, style="dim italic"), "│ ")

    def _gutter(self, line: Text, gutter: str) -> None:
        self._line(Text().append(gutter, "dim").append_text(line))

    def _line(self, line: Text) -> None:
        line.rstrip()
        self.console.print(line, no_wrap=True, overflow="ignore", crop=False)


def _cut(text: str) -> tuple[str, int]:
    """The beginning of a text, ended at a line end where one is near, and how many characters follow."""
    lines = text.split("\n", _MOST_LINES)
    end = len(text) if len(lines) <= _MOST_LINES else len(text) - len(lines[-1]) - 1
    end = min(end, _MOST_CHARACTERS)
    # A little more costs less room than the remark that it is missing.
    return (text, 0) if len(text) - end <= 80 else (text[:end], len(text) - end)
