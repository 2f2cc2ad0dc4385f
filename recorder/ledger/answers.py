"""Answers to questions: from rollups where these know, else from the calls. Either way they are the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from .access import reading
from .answers_by_difference import by_difference
from .answers_of_rollups import Asked
from .answers_of_rows import UNITS_US, add_named, add_rows, count_names
from .cells import SESSION, USER
from .choosing import first
from .counting_values import number_of_values
from .database import Database
from .dimensions import dimension_of
from .figures import Figures
from .periods import Edge
from .question import Key, Question, check
from .rollups import waiting

_NAMED: Final[Mapping[str, str]] = {"session": SESSION, "user": USER}
_MANY: Final = 2_000
"""From how many values on it pays to find out which are shown, at the price of looking at all calls again."""

_MANY_IN_TIME: Final = 50
"""The same where each of them may be in every hour or day: those that are shown are the first."""

_MOST_NAMED: Final = 400
_FEW_CALLS: Final = 20_000
"""Up to so many calls are found by an index in less time than in a scan of a million."""


class Answer(Struct):
    """The figures of each group, of all groups together, and how many groups were left out."""

    groups: dict[Key, Figures]
    total: Figures
    more: int = 0


def answer(database: Database, question: Question, limit: int | None = None) -> Answer:
    """The figures of each group that has calls; with `limit` of those that come first. Raises ValueError."""
    check(question.by)
    dimension = dimension_of(question)
    with reading(database) as connection:
        if dimension is None or waiting(connection):
            return _from_rows(connection, database, question, limit)
        asked = Asked(connection, database, question, dimension)
        if limit is None:
            return Answer(asked.groups(), asked.total())
        groups, more = asked.first(limit)
        return Answer(groups, asked.total(), more)


def _from_rows(connection: Connection, database: Database, question: Question, limit: int | None) -> Answer:
    kept = not waiting(connection)
    name = next((each for each in _NAMED if each in question.by), None)
    if name is not None and "tag" not in question.by and limit is not None and limit <= _MOST_NAMED:
        number = number_of_values(connection, _NAMED[name])
        many = number > (_MANY_IN_TIME if any(unit in question.by for unit in UNITS_US) else _MANY)
        total = _known_total(connection, database, question, many=many) if kept else None
        if many or total is not None:
            return _first_from_rows(connection, database, question, limit, name, total)
    known = by_difference(connection, database, question) if kept else None
    if known is not None:
        return _cut_off(*known, question, limit)
    return _cut_off(*_all_from_rows(connection, database, question), question, limit)


def _all_from_rows(
    connection: Connection, database: Database, question: Question
) -> tuple[dict[Key, Figures], Figures]:
    groups: dict[Key, Figures] = {}
    total = Figures()
    edge = Edge(question.since_us, question.until_us)
    add_rows(connection, database, question, edge, groups, total=total)
    return groups, total


def _total_from_rows(connection: Connection, database: Database, question: Question) -> Figures:
    return _all_from_rows(connection, database, replace(question, by=()))[1]


def _known_total(
    connection: Connection, database: Database, question: Question, *, many: bool
) -> Figures | None:
    """The figures of all calls that are asked for, from rollups: of these, or, of many groups, of all less the others.

    None where they are best counted with those of the groups.
    """
    whole = replace(question, by=())
    dimension = dimension_of(whole)
    if dimension is not None:
        return Asked(connection, database, whole, dimension).total()
    known = by_difference(connection, database, whole) if many else None
    return None if known is None else known[1]


def _cut_off(groups: dict[Key, Figures], total: Figures, question: Question, limit: int | None) -> Answer:
    calls = {key: figures.calls for key, figures in groups.items()}
    chosen = groups if limit is None else first(calls, question, limit)
    found = {key: groups[key] for key in chosen}
    return Answer(found, total, len(groups) - len(found))


def _first_from_rows(
    connection: Connection,
    database: Database,
    question: Question,
    limit: int,
    name: str,
    total: Figures | None,
) -> Answer:
    """The same, where the figures of all groups would take longer than to see first which are shown."""
    names = count_names(connection, database, question, name)
    counts = {key: each.calls for key, each in names.items()}
    keys = first(counts, question, limit)
    # Those that failed have an index that leaves fewer than that of their users.
    failed = question.where.get("outcome", "ok") != "ok"
    few = not failed and sum(counts[key] for key in keys) < _FEW_CALLS
    shown = [names[key] for key in keys]
    found = add_named(connection, database, question, name, shown, index=few)
    if total is None:
        total = _total_from_rows(connection, database, question)
    return Answer({key: found[key] for key in keys}, total, len(counts) - len(keys))
