"""Figures of calls from the calls themselves, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, or_, select, true

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

_c = calls.c


def add_rows(
    connection: Connection,
    database: Database,
    question: Question,
    edge: Edge,
    found: dict[Key, Figures],
    *,
    others: bool = False,
) -> None:
    """Count the calls of an edge one by one: those that are asked for, or all others."""
    columns, read_keys = _row_key(question.by)
    wanted = partial(_wanted, database, question, edge, others=others)
    for raw, known in grouped(connection, wanted, columns).items():
        for key in read_keys(raw):
            group(found, key).add_tally(known)


def count_names(
    connection: Connection, database: Database, question: Question, name: str
) -> dict[Key, tuple[str | None, int]]:
    """The users or sessions, and how many calls each has, which is known long before their figures are."""
    column = _c[GROUPS[name]]
    query = _wanted(database, question, _whole(question), column, func.count() - func.sum(_c.replayed))
    rows = fetched(connection, query.group_by(column))
    return {(_text(raw, LONGEST),): (raw, int(number)) for raw, number in rows}


def add_named(
    connection: Connection, database: Database, question: Question, name: str, names: Sequence[str | None]
) -> tuple[dict[Key, Figures], Figures]:
    """The figures of some users or sessions, and those of all together."""
    column = _c[GROUPS[name]]
    shown: ColumnElement[bool] = column.in_([each for each in names if each is not None])
    if None in names:
        shown = or_(shown, column.is_(None))
    columns = case((shown, column)), case((shown, 1), else_=0)
    wanted = partial(_wanted, database, question, _whole(question))
    found: dict[Key, Figures] = {}
    total = Figures()
    for (raw, is_shown), known in grouped(connection, wanted, columns).items():
        total.add_tally(known)
        if is_shown:
            group(found, (_text(raw, LONGEST),)).add_tally(known)
    return found, total


def _whole(question: Question) -> Edge:
    return Edge(question.since_us, question.until_us)


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
    database: Database, question: Question, edge: Edge, *columns: Any, others: bool = False
) -> Select[Any]:
    condition = condition_of(database, question)
    query = select(*columns).where(condition.is_not(true()) if others else condition)
    if edge.since_us is not None:
        query = query.where(_c.started_us >= edge.since_us)
    if edge.until_us is not None:
        query = query.where(_c.started_us < edge.until_us)
    return query


def _row_key(by: Sequence[str]) -> tuple[list[ColumnElement[Any]], Callable[[Any], Iterator[Key]]]:
    """The columns that keys are read from, and what reads them: one key, but for `tag`."""
    readers = [_row_reader(name) for name in by]
    columns = [column for column, _ in readers]

    def read_keys(raw: Sequence[Any]) -> Iterator[Key]:
        keys: list[Key] = [()]
        for value, (_, read) in zip(raw, readers, strict=True):
            keys = [(*key, part) for key in keys for part in read(value)]
        return iter(keys)

    return columns, read_keys


def _row_reader(name: str) -> tuple[ColumnElement[Any], Callable[[Any], list[str | None]]]:
    """One column, and the values to group by that are in it."""
    if name == "day":
        return whole(_c.started_us, DAY * HOUR_US), lambda day: [day_text(day * DAY)]
    if name == "hour":
        return whole(_c.started_us, HOUR_US), lambda hour: [hour_text(hour)]
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
