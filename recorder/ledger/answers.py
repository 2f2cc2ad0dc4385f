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
from .answers_of_rows import add_named, add_rows, count_names
from .cells import SESSION, USER
from .choosing import first, number_of_values
from .database import Database
from .dimensions import dimension_of
from .figures import Figures
from .periods import Edge
from .question import Key, Question, check, group
from .rollups import waiting

_NAMED: Final[Mapping[tuple[str, ...], str]] = {("user",): USER, ("session",): SESSION}
_MANY: Final = 2_000
"""From how many values on it pays to find out which are shown, at the price of looking at all calls twice."""

_MOST_NAMED: Final = 400


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
    known = None if waiting(connection) else by_difference(connection, database, question)
    if known is not None:
        return _cut_off(*known, question, limit)
    many = question.by in _NAMED and number_of_values(connection, _NAMED[question.by]) > _MANY
    if many and limit is not None and limit <= _MOST_NAMED:
        return _first_from_rows(connection, database, question, limit)
    whole = Edge(question.since_us, question.until_us)
    groups: dict[Key, Figures] = {}
    add_rows(connection, database, question, whole, groups)
    total: dict[Key, Figures] = {}
    if "tag" in question.by:
        # A call has several tags, or none.
        add_rows(connection, database, replace(question, by=()), whole, total)
    else:
        for figures in groups.values():
            group(total, ()).add(figures)
    return _cut_off(groups, group(total, ()), question, limit)


def _cut_off(groups: dict[Key, Figures], total: Figures, question: Question, limit: int | None) -> Answer:
    calls = {key: figures.calls for key, figures in groups.items()}
    chosen = groups if limit is None else first(calls, question, limit)
    found = {key: groups[key] for key in chosen}
    return Answer(found, total, len(groups) - len(found))


def _first_from_rows(connection: Connection, database: Database, question: Question, limit: int) -> Answer:
    """The same, where the figures of all groups would take longer than to see first which are shown."""
    (name,) = question.by
    names = count_names(connection, database, question, name)
    counts = {key: calls for key, (_, calls) in names.items()}
    shown = [names[key][0] for key in first(counts, question, limit)]
    groups, total = add_named(connection, database, question, name, shown)
    return Answer(groups, total, len(counts) - len(groups))
