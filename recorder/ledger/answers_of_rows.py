"""Figures of calls from the calls themselves, one by one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, literal_column, null, or_, select, true

from .cells import DAY, HOUR_US, KINDS, LONGEST, LONGEST_KIND, TAG, model_of, shortened, tag_pairs
from .database import Database
from .figures import Figures
from .filters import conditions_of, filtered
from .grouping import grouped
from .periods import Edge
from .question import GROUPS, Key, Question, day_text, fetched, group, hour_text
from .tables import calls
from .views import model_name
from .whole_units import whole

UNITS_US: Final[Mapping[str, int]] = {"hour": HOUR_US, "day": DAY * HOUR_US}
"""The units of time that groups go by, the narrowest first."""

_c = calls.c


def add_rows(
    connection: Connection,
    database: Database,
    question: Question,
    edge: Edge,
    found: dict[Key, Figures],
    *,
    others: bool = False,
    only: ColumnElement[bool] | None = None,
    most: int | None = None,
    total: Figures | None = None,
) -> None:
    """Count the calls of an edge one by one: those that are asked for, or all others; or `only` some of them.

    `most` says how many there are at most, where that is known. In `total` each call is counted once, in however many
    groups it is.
    """
    columns, read_keys = _row_key(question.by)
    wanted = partial(_wanted, database, question, edge, others=others, only=only)
    counted = grouped(connection, wanted, columns, few=_is_short(edge), most=most)
    for raw, known in counted.items():
        if total is not None:
            total.add_tally(known, edge.sign)
        for key in read_keys(raw):
            group(found, key).add_tally(known, edge.sign)


def count_rows(
    connection: Connection, database: Database, question: Question, edge: Edge
) -> Iterator[tuple[Key, Sequence[Any], int, int]]:
    """The groups of an edge, each with the values that its key is read from, and its live and replayed calls.

    Groups that are told apart by what keys leave out come several times.
    """
    columns, read_keys = _row_key(question.by)
    numbered = [column.label(f"key_{at}") for at, column in enumerate(columns)]
    query = _wanted(database, question, edge, *numbered, func.count(), func.sum(_c.replayed))
    query = query.group_by(*(literal_column(str(at + 1)) for at in range(len(columns))))
    for *raw, number, replayed in fetched(connection, query):
        for key in read_keys(raw):
            yield key, raw, int(number) - int(replayed), int(replayed)


class Named(NamedTuple):
    """How many calls a group has, of a user or session, and in which unit of time, where groups go by time."""

    name: str | None
    calls: int
    unit: int | None


def count_names(
    connection: Connection, database: Database, question: Question, name: str
) -> dict[Key, Named]:
    """The groups with their users or sessions, known long before all figures are."""
    columns, read_keys = _row_key(question.by)
    place = question.by.index(name)
    time = next((question.by.index(unit) for unit in UNITS_US if unit in question.by), None)
    numbered = [column.label(f"key_{at}") for at, column in enumerate(columns)]
    query = _wanted(database, question, _whole(question), *numbered, func.count() - func.sum(_c.replayed))
    query = query.group_by(*(literal_column(str(at + 1)) for at in range(len(columns))))
    found: dict[Key, Named] = {}
    for *raw, number in fetched(connection, query):
        for key in read_keys(raw):
            known = found[key].calls if key in found else 0
            found[key] = Named(raw[place], int(number) + known, None if time is None else raw[time])
    return found


def add_named(
    connection: Connection,
    database: Database,
    question: Question,
    name: str,
    shown: Collection[Named],
    *,
    index: bool,
) -> dict[Key, Figures]:
    """The figures of some users or sessions at least in their times; `index` says whether an index is to find them."""
    columns, read_keys = _row_key(question.by)
    some = named(GROUPS[name], {each.name for each in shown}, index=index)
    wanted = partial(_wanted, database, question, _within(question, shown), only=some)
    found: dict[Key, Figures] = {}
    for raw, known in grouped(connection, wanted, columns).items():
        for key in read_keys(raw):
            group(found, key).add_tally(known)
    return found


def named(column_name: str, names: Collection[str | None], *, index: bool = False) -> ColumnElement[bool]:
    """Whether a column has one of some values; `index` says whether these are to be found by an index."""
    column = _c[column_name]
    # A scan of all calls takes less time than to look for very many of them.
    compared = column if index else func.coalesce(column, null())
    shown: ColumnElement[bool] = compared.in_([each for each in names if each is not None])
    return or_(shown, column.is_(None)) if None in names else shown


def _within(question: Question, shown: Collection[Named]) -> Edge:
    """The part of the period in which some groups are that go by time; else all of it."""
    units = [each.unit for each in shown if each.unit is not None]
    if not units:
        return _whole(question)
    unit_us = next(unit_us for unit, unit_us in UNITS_US.items() if unit in question.by)
    since_us, until_us = min(units) * unit_us, (max(units) + 1) * unit_us
    if question.since_us is not None:
        since_us = max(since_us, question.since_us)
    if question.until_us is not None:
        until_us = min(until_us, question.until_us)
    return Edge(since_us, until_us)


def _whole(question: Question) -> Edge:
    return Edge(question.since_us, question.until_us)


def _is_short(edge: Edge) -> bool:
    """Whether it is a part of an hour."""
    since_us, until_us, _ = edge
    return since_us is not None and until_us is not None and until_us - since_us <= HOUR_US


def condition_of(database: Database, question: Question) -> ColumnElement[bool]:
    """What must hold of a call that is asked for, besides its time."""
    where = (*conditions_of(question.where), *question.conditions)
    query = filtered(
        select(_c.seq),
        since_us=None,
        until_us=None,
        where=where,
        tags=question.tags,
        sqlite=database.is_sqlite,
    )
    return true() if query.whereclause is None else query.whereclause


def _wanted(
    database: Database,
    question: Question,
    edge: Edge,
    *columns: Any,
    others: bool = False,
    only: ColumnElement[bool] | None = None,
) -> Select[Any]:
    condition = condition_of(database, question)
    query = select(*columns).where(condition.is_not(true()) if others else condition)
    if only is not None:
        query = query.where(only)
    if edge.since_us is not None:
        query = query.where(_c.started_us >= edge.since_us)
    if edge.until_us is not None:
        query = query.where(_c.started_us < edge.until_us)
    return query


def _row_key(by: Sequence[str]) -> tuple[list[ColumnElement[Any]], Callable[[Any], Iterator[Key]]]:
    """The columns that keys are read from, and what reads them: one key, but for `tag`."""
    readers = [_row_reader(name) for name in by]
    columns = [column for column, _ in readers]
    if len(readers) == 1:
        # There may be thousands of them.
        ((_, read_value),) = readers
        return columns, lambda raw: iter([(part,) for part in read_value(raw[0])])

    def read_keys(raw: Sequence[Any]) -> Iterator[Key]:
        keys: list[Key] = [()]
        for value, (_, read) in zip(raw, readers, strict=True):
            keys = [(*key, part) for key in keys for part in read(value)]
        return iter(keys)

    return columns, read_keys


def _row_reader(name: str) -> tuple[ColumnElement[Any], Callable[[Any], list[str | None]]]:
    """One column, and the values to group by that are in it."""
    if name == "day":
        return whole(_c.started_us, UNITS_US[name]), lambda day: [day_text(day * DAY)]
    if name == "hour":
        return whole(_c.started_us, UNITS_US[name]), lambda hour: [hour_text(hour)]
    if name == "model":
        return model_name, _model
    if name == "tag":
        return _c.tags, lambda text: [f"{of.removeprefix(TAG)}={value}" for of, value in tag_pairs(text)]
    if name.startswith(TAG):
        return _c.tags, lambda text: [dict(tag_pairs(text)).get(shortened(name))]
    most = LONGEST_KIND if GROUPS[name] in KINDS else LONGEST
    return _c[GROUPS[name]], lambda value: [_text(value, most)]


def _model(name: str | None) -> list[str | None]:
    return [shortened(model_of(name, None)) or None]


def _text(value: Any, most: int) -> str | None:
    return None if value is None else shortened(str(value), most)
