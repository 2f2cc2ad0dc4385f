"""How many calls each user and session has by the hour, the day and the month, in few rows that are read at once.

A row has thousands of values, each by its number, so that those with most calls are found without a row for each. Of
users there are such rows of each provider, host and model too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, literal, select

from .cells import ALL, DAY, HOUR, MONTH, USER, Cell, Place
from .cut_rows import expanded
from .figures import REPLAYED
from .histogram import added
from .intake import nothing
from .kept_cells import cuts_of
from .question import fetched
from .tables import rollups, value_counts, value_numbers
from .tallying import Tallies
from .value_numbers import NUMBERED, Value, forget_numbers, number_values
from .value_rows import Counts, Row, kept_rows, remove_rows, write_rows

WIDTHS: Final = (HOUR, DAY, MONTH)
"""How many hours rows are of."""

PART: Final = 4096
"""How many numbers a row has at most."""

ANYWHERE: Final = ""
"""The place of all calls together."""

_PIECE: Final = 16

Between = Callable[[], None]
_Changes = tuple[dict[int, int], dict[int, int]]
"""By how much values change: by where they are in their part, their live calls and replayed ones."""


class Counted(NamedTuple):
    """So many calls of a value in one hour and place, live ones and replayed ones."""

    value: Value
    hour: int
    place: Place
    calls: int
    replayed: int


def has_places(dimension: str) -> bool:
    """Whether calls are counted by provider, host and model too."""
    return dimension == USER


def change_counts(connection: Connection, cells: Tallies, sign: int, between: Between = nothing) -> None:
    """Add the calls of tallies to those of their users and sessions, or take them away. Raises Inconsistent."""
    _change(connection, list(_of_tallies(cells)), sign, between)


def forget_counts(connection: Connection, dimension: str, value: str) -> None:
    """Leave no calls of a value, whose cells are still there."""
    if dimension in NUMBERED:
        r = rollups.c
        _change(connection, list(_of_cells(connection, r.dimension == dimension, r.value == value)), -1)
        forget_numbers(connection, [Cell(dimension, ALL, 0, value)])


def fill_counts(connection: Connection) -> None:
    """Count the values of all cells that there are, in a store that has none of these rows."""
    r = rollups.c
    numbered = r.dimension.in_(NUMBERED)
    days = select(r.begins - r.begins % DAY).where(numbered, r.hours == HOUR).distinct()
    for day in sorted(connection.scalars(days)):
        within = r.begins >= day, r.begins < day + DAY
        _change(connection, list(_of_cells(connection, numbered, *within)), 1)


def clear_counts(connection: Connection) -> None:
    """Leave nothing, where all calls are counted anew."""
    connection.execute(value_counts.delete())
    connection.execute(value_numbers.delete())


def place_text(place: Place) -> str:
    """A provider, host and model as rows have it."""
    return json.dumps(place, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=4096)
def place_of(text: str) -> tuple[str, ...]:
    """The provider, host and model of a row."""
    return tuple(json.loads(text))


_text = lru_cache(maxsize=4096)(place_text)


def _of_tallies(cells: Tallies) -> Iterator[Counted]:
    for cell, tallied in cells.items():
        if cell.hours == HOUR and cell.dimension in NUMBERED:
            for place, part in tallied.parts.items():
                replayed = part.counts[REPLAYED]
                yield Counted(
                    (cell.dimension, cell.value), cell.begins, place, part.calls - replayed, replayed
                )


def _of_cells(connection: Connection, *which: ColumnElement[bool]) -> Iterator[Counted]:
    """What is kept of some cells by the hour."""
    r = rollups.c
    columns: tuple[Any, ...] = (r.dimension, r.begins, r.value, r.calls, r.replayed, literal(""), r.cuts)
    rows = fetched(connection, select(*columns).where(r.hours == HOUR, *which).order_by(r.begins))
    for dimension, begins, value, calls, replayed, _, cuts in expanded(connection, HOUR, rows):
        for provider, host, model, live, others, _ in cuts_of(calls, replayed, b"", cuts):
            yield Counted((dimension, value), begins, (provider, host, model), live, others)


def _change(
    connection: Connection, counted: Sequence[Counted], sign: int, between: Between = nothing
) -> None:
    if not counted:
        return
    numbers = number_values(connection, list(dict.fromkeys(each.value for each in counted)))
    changes = list(_changes(counted, numbers).items())
    size = _PIECE if connection.dialect.name == "sqlite" else len(changes)
    for start in range(0, len(changes), size):
        _write(connection, dict(changes[start : start + size]), sign)
        between()


def _changes(counted: Iterable[Counted], numbers: Mapping[Value, int]) -> dict[Row, _Changes]:
    """By how much rows change."""
    found: dict[Row, _Changes] = {}
    known: dict[Any, list[_Changes]] = {}
    for value, hour, place, live, replayed in counted:
        part, at = divmod(numbers[value], PART)
        key = value[0], hour, place, part
        rows = known.get(key)
        if rows is None:
            rows = known[key] = [found.setdefault(row, ({}, {})) for row in _rows(*key)]
        for lives, others in rows:
            if live:
                lives[at] = lives.get(at, 0) + live
            if replayed:
                others[at] = others.get(at, 0) + replayed
    return found


def _rows(dimension: str, hour: int, place: Place, part: int) -> Iterator[Row]:
    """All rows in which a call is counted."""
    for where in (ANYWHERE, _text(place)) if has_places(dimension) else (ANYWHERE,):
        for width in WIDTHS:
            yield Row(dimension, width, hour - hour % width, where, part)


def _write(connection: Connection, changes: Mapping[Row, _Changes], sign: int) -> None:
    known = kept_rows(connection, list(changes))
    now: dict[Row, Counts] = {}
    gone: list[Row] = []
    for row, (live, replayed) in changes.items():
        calls, others = known.get(row, (b"", b""))
        counts = added(calls, live, sign), added(others, replayed, sign)
        if any(counts):
            now[row] = counts
        else:
            gone.append(row)
    write_rows(connection, now)
    remove_rows(connection, gone)
