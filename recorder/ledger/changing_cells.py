"""Tallies added to the cells that are kept, or taken away from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import Connection, select

from .cell_rows import count_values, kept_cells, remove_cells, write_cells
from .cells import DAY, FEW, FOUR_DAYS, IN_FOUR_DAYS, PLAIN, QUARTER, SINGLE, Cell, Place, cell_of, row_of
from .cut_rows import expanded, is_too_much, settled, spread
from .figures import Tally
from .intake import nothing
from .kept_cells import Kept, changed, changed_whole, cuts_of, in_rows
from .kept_figures import tally_of, unpack_figures
from .question import fetched
from .tables import rollups
from .tallying import Tallied, Tallies, joint
from .value_counts import change_counts
from .value_numbers import forget_numbers

_PIECE: Final = 1_000

Between = Callable[[], None]
"""What is called between pieces of work that take less than a millisecond each."""


def change_cells(connection: Connection, cells: Tallies, sign: int = 1, between: Between = nothing) -> None:
    """Add tallies to what is kept, or take them away; cells without calls go. Raises Inconsistent."""
    new, gone = _change(connection, cells, sign, between)
    count_values(connection, new, gone)
    change_counts(connection, cells, sign, between)
    forget_numbers(connection, gone)


def fill_four_days(connection: Connection) -> None:
    """Make the cells of four days from those of a day, in a store that has none."""
    r = rollups.c
    daily = (r.hours == DAY, r.dimension.in_(IN_FOUR_DAYS))
    begins = r.begins - r.begins % FOUR_DAYS
    for first in sorted(connection.scalars(select(begins).where(*daily).distinct())):
        columns = (r.dimension, r.begins, r.value, r.calls, r.replayed, r.figures, r.cuts)
        query = select(*columns).where(*daily, r.begins >= first, r.begins < first + FOUR_DAYS)
        parts: dict[Cell, dict[Place, list[Tally]]] = {}
        for dimension, _, value, *kept in expanded(connection, DAY, fetched(connection, query)):
            cell = parts.setdefault(Cell(dimension, FOUR_DAYS, first, value), {})
            for provider, host, model, *_, figures in cuts_of(*kept):
                cell.setdefault((provider, host, model), []).append(tally_of(unpack_figures(figures)))
        cut = {cell: {place: joint(some) for place, some in places.items()} for cell, places in parts.items()}
        whole = {cell: Tallied(places, joint(list(places.values()))) for cell, places in cut.items()}
        _change(connection, whole, 1, nothing)


def add_finer(connection: Connection, cells: Tallies) -> None:
    """Add tallies to the cells that came with the columns that have dimensions of their own, and to those alone."""
    finer = {
        cell: tallied
        for cell, tallied in cells.items()
        if cell.dimension in SINGLE or (cell.hours == QUARTER and cell.dimension != PLAIN)
    }
    _change(connection, finer, 1, nothing)


def _change(
    connection: Connection, cells: Tallies, sign: int, between: Between
) -> tuple[list[Cell], list[Cell]]:
    """Change cells, or rows of cuts; those that are new, and those that are gone."""
    asked = list(cells)
    new: list[Cell] = []
    gone: list[Cell] = []
    done: _Done = {}
    # To a server every piece is two ways to go and come back.
    size = FEW if connection.dialect.name == "sqlite" else _PIECE
    for start in range(0, len(asked), size):
        piece = asked[start : start + size]
        known = kept_cells(connection, piece)
        cut = {cell: kept for cell, kept in known.items() if in_rows(kept.cuts)}
        now = {
            cell: _changed_once(known.get(cell), cells[cell], sign, done) for cell in piece if cell not in cut
        }
        if cut:
            now |= _change_cut(connection, cut, cells, sign, between)
        write_cells(connection, _spread({cell: kept for cell, kept in now.items() if kept is not None}))
        gone += [cell for cell, kept in now.items() if kept is None]
        new += [cell for cell in piece if cell not in known]
        between()
    remove_cells(connection, gone)
    return new, gone


def _spread(cells: dict[Cell, Kept]) -> dict[Cell, Kept]:
    """Cells as they are written: those of too many cuts with the rows of these."""
    rows: dict[Cell, Kept] = {}
    for cell in [cell for cell, kept in cells.items() if is_too_much(kept)]:
        cells[cell], some = spread(cell, cells[cell])
        rows |= some
    return cells | rows if rows else cells


def _change_cut(
    connection: Connection, cut: Mapping[Cell, Kept], cells: Tallies, sign: int, between: Between
) -> dict[Cell, Kept | None]:
    """Change cells whose cuts are in rows of their own, and those rows that it concerns."""
    parts: Tallies = {}
    for cell in cut:
        parts |= {
            row_of(cell, place): Tallied({place: part}, None) for place, part in cells[cell].parts.items()
        }
        between()
    new, gone = _change(connection, parts, sign, between)
    number = Counter({cell: kept.rows for cell, kept in cut.items()})
    number.update(map(cell_of, new))
    number.subtract(map(cell_of, gone))
    now: dict[Cell, Kept | None] = {}
    for cell, kept in cut.items():
        whole = cells[cell].whole or joint(list(cells[cell].parts.values()))
        now[cell] = settled(connection, cell, changed_whole(kept, whole, sign), number[cell])
    return now


_Done = dict[tuple[Kept | None, Place, int, bool], Kept | None]


def _changed_once(known: Kept | None, tallied: Tallied, sign: int, done: _Done) -> Kept | None:
    """A cell with tallies added; the day of a session, say, is often all of it, and only one of them is made."""
    if len(tallied.parts) > 1:
        return changed(known, tallied, sign)
    ((place, part),) = tallied.parts.items()
    same = known, place, id(part), tallied.whole is None
    if same not in done:
        done[same] = changed(known, tallied, sign)
    return done[same]
