"""Cells of very many cuts, each of which is in a row of its own, so that who changes one does not write them all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection

from .cell_rows import cuts_in_rows, kept_rows, remove_cells
from .cells import Cell, has_whole, row_of
from .kept_cells import Cut, Kept, alone, cut_into_rows, cuts_of, in_rows, joint, whole_of

MOST_CUTS: Final = 64
"""How many cuts a cell has at most in its own row."""


def is_too_much(kept: Kept) -> bool:
    """Whether a cell has more cuts in its own row than it is to have."""
    return len(kept.cuts) > MOST_CUTS and kept.number_of_cuts > MOST_CUTS


def spread(cell: Cell, kept: Kept) -> tuple[Kept, dict[Cell, Kept]]:
    """A cell and the rows of its cuts; like this it has the figures of the whole, whether or not it had them."""
    cuts = [Cut._make(cut) for cut in cuts_of(*kept)]
    rows = {row_of(cell, cut[:3]): alone(cut) for cut in cuts}
    return cut_into_rows(kept.figures or whole_of(cuts), len(rows)), rows


def settled(connection: Connection, cell: Cell, figures: bytes, number: int) -> Kept | None:
    """A cell whose cuts were in rows of their own, of which so many are left; `figures` are those of the whole.

    Where they are few again, if any, they come back into its own row.
    """
    if number > MOST_CUTS:
        return cut_into_rows(figures, number)
    rows = kept_rows(connection, cell)
    remove_cells(connection, list(rows))
    cuts = [Cut._make(cut) for kept in rows.values() for cut in cuts_of(*kept)]
    return joint(cuts, figures if has_whole(cell) else b"")


def expanded(connection: Connection, hours: int, found: Iterator[Any]) -> Iterator[Any]:
    """Rows of cells of so many hours as they were read; where the cuts are in rows of their own, a row for each."""
    for row in found:
        if not in_rows(row[-1]):
            yield row
            continue
        dimension, begins, value, *_ = row
        for _, *kept in cuts_in_rows(connection, Cell(dimension, hours, begins, value)):
            yield dimension, begins, value, *kept
