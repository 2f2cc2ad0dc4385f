"""Which groups an answer shows, found without the figures of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from heapq import nsmallest
from typing import Final

from sqlalchemy import Connection, func

from .cells import ALL, VALUES
from .dimensions import has_rest, needs_cuts
from .periods import Span
from .question import Key, Question, fetched, in_order
from .reading_cells import cells_of, read_rest
from .tables import rollups

_r = rollups.c
_IN_TIME: Final = ("day", "hour")


def first(calls: Mapping[Key, int], question: Question, limit: int) -> list[Key]:
    """The keys of the groups that come first: in the order of time where they have one, else those with most calls."""
    if any(name in _IN_TIME for name in question.by):
        return nsmallest(limit, calls, key=in_order)
    return nsmallest(limit, calls, key=lambda key: (-calls[key], in_order(key)))


def is_by_value(question: Question, dimension: str) -> bool:
    """Whether there is one group for each value of a dimension, and one of the calls without."""
    return len(question.by) == 1 and dimension != "tag" and not needs_cuts(question)


def most_calls(
    connection: Connection, question: Question, dimension: str, span: Span, limit: int
) -> tuple[list[Key], int]:
    """The values with the most calls in a span, and how many values there are."""
    whole = span.hours == ALL
    calls = _r.calls if whole else func.sum(_r.calls)
    order = _r.value if connection.dialect.name == "sqlite" else _r.value.collate("C")
    query = cells_of(question, dimension, span, _r.value, calls).order_by(calls.desc(), order).limit(limit)
    if not whole:
        query = query.group_by(_r.value).add_columns(func.count().over())
    rows = list(fetched(connection, query))
    if not has_rest(question, dimension):
        number = len(rows)
    elif whole:
        number = _number_of_values(connection, question, dimension)
    else:
        number = int(rows[0][2]) if rows else 0
    counts: dict[Key, int] = {(row[0],): int(row[1]) for row in rows}
    rest = count_rest(connection, question, dimension, span)
    return first({**counts, **rest}, question, limit), number + len(rest)


def count_values(connection: Connection, question: Question, dimension: str, span: Span) -> Counter[Key]:
    """How many calls each value of a dimension has in a span."""
    query = cells_of(question, dimension, span, _r.value, func.sum(_r.calls)).group_by(_r.value)
    counts: Counter[Key] = Counter({(value,): int(calls) for value, calls in fetched(connection, query)})
    counts.update(count_rest(connection, question, dimension, span))
    return counts


def count_rest(connection: Connection, question: Question, dimension: str, span: Span) -> dict[Key, int]:
    """How many calls have no value in a dimension, by group; none where there are none."""
    if not has_rest(question, dimension):
        return {}
    live: Counter[Key] = Counter()
    replayed: Counter[Key] = Counter()
    for part in read_rest(connection, question, dimension, span):
        live[part.key] += part.sign * part.calls
        replayed[part.key] += part.sign * part.replayed
    return {key: number for key, number in live.items() if number or replayed[key]}


def _number_of_values(connection: Connection, question: Question, dimension: str) -> int:
    query = cells_of(question, VALUES, Span(ALL, None, None), _r.calls).where(_r.value == dimension)
    return sum(int(number) for (number,) in fetched(connection, query))
