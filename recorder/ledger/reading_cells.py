"""Cells of the rollups read as parts of groups, whose figures are not looked at yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from msgspec import Struct
from sqlalchemy import Connection, and_, func, literal_column, select

from .cell_keys import key_reader
from .cells import (
    ALL,
    ANY,
    KIND,
    LONGEST_KIND,
    NOWHERE,
    PLAIN,
    QUARTER,
    TAG,
    VALUES,
    kind_values,
    kinds_of,
    shortened,
)
from .cut_rows import expanded
from .dimensions import CORE, has_rest, needs_cuts, wanted_values
from .kept_cells import cuts_of
from .periods import Span
from .question import Key, Question, fetched, fetched_text
from .tables import rollups

_r = rollups.c
# In text too, for queries that are made often.
_IN_TAGS: Final = (
    "dimension IN (SELECT value FROM rollups WHERE dimension = 'values' AND hours = 0 AND begins = 0 "
    "AND value >= 'tag:' AND value < 'tag;')"
)
_names: Final = rollups.alias("names").c
_TAGS: Final = (
    select(_names.value)
    .where(_names.dimension == VALUES, _names.hours == ALL, _names.begins == 0)
    .where(_names.value >= TAG, _names.value < "tag;")
)
"""The dimensions of all tags."""

# The same words as those of the index that has the calls of many values in it.
_NARROW: Final = and_(_r.hours != literal_column("0"), _r.dimension != literal_column("'kind'"))
MOST_NAMED: Final = 400
"""How many values or times a query names; databases have bounds, and all are read in little more time."""


class Part(NamedTuple):
    """Something to add to a group, or with `sign` -1 to take away.

    It has figures, or where there are none cuts, which together are all of it.
    """

    key: Key
    calls: int
    replayed: int
    figures: bytes
    cuts: bytes | None
    sign: int = 1


class Only(Struct, frozen=True):
    """Which cells are enough: those of some values, None standing for calls without one, and those that begin then."""

    values: frozenset[str | None] | None = None
    begins: frozenset[int] | None = None


ALL_CELLS: Final = Only()


def read_parts(
    connection: Connection, question: Question, dimension: str, span: Span, only: Only = ALL_CELLS
) -> Iterator[Part]:
    """What the rollups have of a span: at least of the cells that are enough."""
    rows = _cells(connection, question, dimension, span, only)
    yield from _parts(rows, question, dimension, span.sign)
    if has_rest(question, dimension) and (only.values is None or None in only.values):
        yield from read_rest(connection, question, dimension, span)


def count_parts(
    connection: Connection, question: Question, dimension: str, span: Span
) -> Iterator[tuple[Key, int, int]]:
    """How many calls, live ones and replayed ones, each part of a span has, without a look at their figures."""
    cut = needs_cuts(question)
    query = cells_of(question, dimension, span, *_COUNTS, *([_r.cuts] if cut else []))
    rows = fetched(connection, query)
    rows = _in_hours(expanded(connection, span.hours, rows) if cut else rows, span)
    read_key = key_reader(question.by, dimension)
    fits, here, sign = _fits(question, dimension), is_here(question), span.sign
    for of, begins, value, calls, replayed, *cuts in rows:
        if fits is not None and not fits(value):
            continue
        if not cut:
            yield read_key(of, begins, value, NOWHERE), sign * calls, sign * replayed
            continue
        for *place, live, others, _ in cuts_of(calls, replayed, b"", cuts[-1]):
            if here(place):
                yield read_key(of, begins, value, place), sign * live, sign * others
    for part in read_rest(connection, question, dimension, span) if has_rest(question, dimension) else ():
        yield part.key, part.sign * part.calls, part.sign * part.replayed


def read_rest(connection: Connection, question: Question, dimension: str, span: Span) -> Iterator[Part]:
    """The calls that have no value in a dimension: all calls, less those that have one."""
    if number_of_calls(connection, question, PLAIN, span) == number_of_calls(
        connection, question, ANY + dimension, span
    ):
        return
    for sign, of in ((1, PLAIN), (-1, ANY + dimension)):
        yield from _parts(_cells(connection, question, of, span), question, PLAIN, sign * span.sign)


def number_of_calls(
    connection: Connection, question: Question, dimension: str, span: Span
) -> tuple[int, int]:
    """How many calls, live ones and replayed ones, a dimension has in a span, of whatever model."""
    query = cells_of(question, dimension, span, func.sum(_r.calls), func.sum(_r.replayed))
    live, replayed = next(iter(fetched(connection, query)))
    return int(live or 0), int(replayed or 0)


def _cells(
    connection: Connection, question: Question, dimension: str, span: Span, only: Only = ALL_CELLS
) -> Iterator[Any]:
    """The cells of a span, each with its cuts. Their query is text: of many spans it would take as long to make."""
    named = [
        (name, some)
        for name, some in (("value", only.values), ("begins", only.begins))
        if some is not None and len(some) <= MOST_NAMED
    ]
    conditions, values = ["dimension = ?"], list[Any]([dimension])
    if dimension == "tag":
        conditions, values = [_IN_TAGS], []
    if span.hours == ALL:
        conditions.append("begins = 0")
    elif dimension != KIND:
        conditions.append("hours <> 0 AND dimension <> 'kind'")
    # Where both are named each cell is looked for, as there are many values in an hour.
    for condition, bound in (("begins >= ?", span.first), ("begins < ?", span.last)):
        if bound is not None and len(named) < 2:
            conditions.append(condition)
            values.append(bound)
    if (wanted := wanted_values(question).get(dimension)) is not None:
        conditions.append("value = ?")
        values.append(shortened(wanted))
    for name, some in named:
        known = [each for each in some if each is not None]
        conditions.append(f"{name} IN ({', '.join('?' * len(known))})" if known else "1 = 0")
        values += known
    columns = _CUT if needs_cuts(question) else _UNCUT
    query = f"SELECT {columns} FROM rollups WHERE hours = {span.hours} AND {' AND '.join(conditions)}"
    return _in_hours(expanded(connection, span.hours, fetched_text(connection, query, values)), span)


def cells_of(question: Question, dimension: str, span: Span, *columns: Any) -> Any:
    """A query for the cells of a span in one dimension, or in those of all tags."""
    # Said outright, so that SQLite sees that an index of some hours serves.
    query = select(*columns).where(_r.hours == literal_column(str(span.hours)))
    if span.hours != ALL and dimension != KIND:
        query = query.where(_NARROW)
    # Tags go by their names, which are few beside their cells: of a range of names an index has no hours.
    query = query.where(_r.dimension.in_(_TAGS) if dimension == "tag" else _r.dimension == dimension)
    if span.hours == ALL:
        query = query.where(_r.begins == 0)
    if span.first is not None:
        query = query.where(_r.begins >= span.first)
    if span.last is not None:
        query = query.where(_r.begins < span.last)
    if (wanted := wanted_values(question).get(dimension)) is not None:
        query = query.where(_r.value == shortened(wanted))
    return query


_COUNTS: Final = (_r.dimension, _r.begins, _r.value, _r.calls, _r.replayed)
_CUT: Final = "dimension, begins, value, calls, replayed, figures, cuts"
# Cuts are long: they are read only where there are no figures of them together.
_UNCUT: Final = (
    "dimension, begins, value, calls, replayed, figures, CASE WHEN length(figures) = 0 THEN cuts END"
)


def _in_hours(rows: Iterator[Any], span: Span) -> Iterator[Any]:
    """Cells that begin with an hour, as also quarters of it are to, in groups of days and hours."""
    if span.hours != QUARTER:
        return rows
    return ((of, begins // -QUARTER, *rest) for of, begins, *rest in rows)


def _parts(rows: Iterator[Any], question: Question, dimension: str, sign: int) -> Iterator[Part]:
    read_key = key_reader(question.by, dimension)
    fits = _fits(question, dimension)
    here = is_here(question) if needs_cuts(question) else None
    for of, begins, value, calls, replayed, figures, cuts in rows:
        if fits is not None and not fits(value):
            continue
        if here is None:
            yield Part(read_key(of, begins, value, NOWHERE), calls, replayed, figures, cuts, sign)
            continue
        for *place, live, others, part in cuts_of(calls, replayed, figures, cuts):
            if here(place):
                yield Part(read_key(of, begins, value, place), live, others, part, None, sign)


def is_here(question: Question) -> Callable[[Sequence[str]], bool]:
    """Whether a provider, host and model are asked for."""
    asked = [
        (place, shortened(str(question.where[name])))
        for place, name in enumerate(CORE)
        if name in question.where
    ]
    if not asked:
        return lambda found: True
    return lambda found: all(found[place] == name for place, name in asked)


def _fits(question: Question, dimension: str) -> Callable[[str], bool] | None:
    """Whether a value of a dimension that is made of `KINDS` is asked for."""
    columns = kinds_of(dimension)
    wanted = {
        columns.index(name): shortened(value, LONGEST_KIND) if isinstance(value, str) else value
        for name, value in question.where.items()
        if name in columns
    }
    if not wanted:
        return None

    @cache
    def fits(text: str) -> bool:
        values = kind_values(text)
        return all(values[place] == value for place, value in wanted.items())

    return fits
