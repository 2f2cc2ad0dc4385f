"""Tables of one line a row that fit the width there is: cells grow shorter first, then columns go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    `floor` is how narrow it may get (None: as wide as its widest cell) and `ceiling` how wide; `drop` is
    the turn in which it goes when room is short (1 goes first, None stays); `typical` is its width while
    rows are still to come.
    """

    title: str
    justify: Literal["left", "right"] = "left"
    floor: int | None = None
    ceiling: int = 1000
    drop: int | None = None
    typical: int = 0


Cell = tuple[Text, ...]
"""One value in all its spellings, longest first."""

Row = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that are shown, by index, and the width of each."""

    columns: tuple[Column, ...]
    shown: tuple[int, ...]
    widths: tuple[int, ...]

    def header(self) -> Text:
        """The line of titles."""
        return self._join([Text(self.columns[index].title, style="bold") for index in self.shown])

    def line(self, row: Row) -> Text:
        """One row as one line."""
        return self._join(
            [_spelling(row[index], width) for index, width in zip(self.shown, self.widths, strict=True)]
        )

    def _join(self, cells: list[Text]) -> Text:
        line = Text()
        for cell, index, width in zip(cells, self.shown, self.widths, strict=True):
            cell = cell.copy()
            cell.truncate(width, overflow="ellipsis")
            padding = " " * (width - cell.cell_len)
            right = self.columns[index].justify == "right"
            line.append(padding if right else "").append_text(cell).append("" if right else padding)
            line.append(" " * GAP)
        line.rstrip()
        return line


def lay_out(columns: Sequence[Column], rows: Sequence[Row], width: int, *, more: bool = False) -> Layout:
    """Choose columns and widths so that every line fits into `width`.

    Wide columns shrink to their floor before a column is dropped, and grow again into the room that a
    dropped one leaves. With `more`, rows are still to come, and columns get their typical width at least.
    """
    natural = [
        min(
            column.ceiling,
            max([more * column.typical, cell_len(column.title), *(row[index][0].cell_len for row in rows)]),
        )
        for index, column in enumerate(columns)
    ]
    shown = list(range(len(columns)))
    while _least(columns, natural, shown) > width:
        turns = [(turn, index) for index in shown if (turn := columns[index].drop) is not None]
        if not turns:
            break
        shown.remove(min(turns)[1])
    widths = _widths(columns, natural, shown, width)
    if not more:
        # A cell that took a shorter spelling leaves room over, which other columns can use.
        for index, used in zip(shown, widths, strict=True):
            spelled = [_spelling(row[index], used).cell_len for row in rows]
            if max(spelled, default=used) <= used:
                natural[index] = max([cell_len(columns[index].title), *spelled])
        widths = _widths(columns, natural, shown, width)
    return Layout(tuple(columns), tuple(shown), widths)


def print_table(
    console: Console, columns: Sequence[Column], rows: Sequence[Row], remarks: Sequence[Text] = ()
) -> None:
    """Print a table at the console's width; below each row its remark, if there are any."""
    layout = lay_out(columns, rows, console.width)
    print_line(console, layout.header())
    for number, row in enumerate(rows):
        print_line(console, layout.line(row))
        for remark in remarks[number : number + 1]:
            print_line(console, remark)


def print_line(console: Console, line: Text) -> None:
    """Print one line that is never wrapped."""
    console.print(line, no_wrap=True, overflow="ellipsis", crop=True, highlight=False)


def print_footer(console: Console, parts: Sequence[str]) -> None:
    """Print remarks with dots between, dim; broken only between remarks."""
    line = ""
    for part in parts:
        joined = f"{line} · {part}" if line else part
        if line and cell_len(joined) > console.width:
            print_line(console, Text(line, style="dim"))
            joined = part
        line = joined
    if line:
        print_line(console, Text(line, style="dim"))


def _spelling(cell: Cell, width: int) -> Text:
    return next((text for text in cell if text.cell_len <= width), cell[-1])


def _floor(columns: Sequence[Column], natural: Sequence[int], index: int) -> int:
    floor = columns[index].floor
    return natural[index] if floor is None else min(floor, natural[index])


def _least(columns: Sequence[Column], natural: Sequence[int], shown: Sequence[int]) -> int:
    return sum(_floor(columns, natural, index) for index in shown) + GAP * (len(shown) - 1)


def _widths(
    columns: Sequence[Column], natural: Sequence[int], shown: Sequence[int], width: int
) -> tuple[int, ...]:
    """Give each its floor, then share what is left equally; what one has no need of goes to the others."""
    widths = {index: _floor(columns, natural, index) for index in shown}
    spare = width - _least(columns, natural, shown)
    needs = sorted((natural[index] - widths[index], index) for index in shown)
    for position, (need, index) in enumerate(needs):
        share = max(0, min(need, spare // (len(needs) - position)))
        widths[index] += share
        spare -= share
    return tuple(widths[index] for index in shown)
