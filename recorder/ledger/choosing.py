"""Which groups an answer shows, found without the figures of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from heapq import nlargest, nsmallest
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, func, literal, literal_column, union_all

from .cells import ALL, ANY, DAY, HOUR, KIND, PLAIN, VALUES
from .dimensions import has_rest, needs_cuts
from .edges import Edges
from .periods import Span
from .question import Key, Question, fetched, in_order
from .ranking import rank_values
from .reading_cells import NOWHERE, Only, cells_of, key_reader, read_rest
from .tables import rollups

_r = rollups.c
_IN_TIME: Final = ("day", "hour")


def first(calls: Mapping[Key, int], question: Question, limit: int) -> list[Key]:
    """The keys of the groups that come first: in the order of time where they have one, else those with most calls."""
    if any(name in _IN_TIME for name in question.by):
        return nsmallest(limit, calls, key=in_order)
    if 0 < limit < len(calls):
        # Of many groups most are ruled out by their numbers alone.
        least = nlargest(limit, calls.values())[-1]
        calls = {key: number for key, number in calls.items() if number >= least}
    return nsmallest(limit, calls, key=lambda key: (-calls[key], in_order(key)))


class Chosen(Struct, frozen=True):
    """The keys of the groups that come first, how many groups there are, and which cells those are made of."""

    keys: list[Key]
    number: int
    only: Only


def is_by_value(question: Question, dimension: str) -> bool:
    """Whether a group is one value of a dimension, or one of its times, or such a time itself."""
    named = [name for name in question.by if name not in _IN_TIME]
    return len(named) <= (dimension != PLAIN) and dimension not in ("tag", KIND) and not needs_cuts(question)


def choose(
    connection: Connection, question: Question, dimension: str, span: Span, limit: int
) -> Chosen | None:
    """The first groups where each is one cell of a span, or all cells of a value; None where it is neither."""
    times = [name for name in question.by if name in _IN_TIME]
    if times and span.hours != (HOUR if "hour" in times else DAY):
        return None
    one_each = bool(times) or span.hours == ALL
    # How many groups there are stands in their rows, so that one is asked for where none is shown.
    query = _cells_in_order(connection, question, dimension, span, times).limit(max(limit, 1))
    if one_each:
        number = _number_of_cells(connection, question, dimension, span)
        rows = list(fetched(connection, query))
    else:
        rows = list(fetched(connection, query.add_columns(func.count().over())))
        number = int(rows[0][4]) if rows else 0
    read_key = key_reader(question.by, dimension)
    counts = {read_key(of, begins, value, NOWHERE): int(calls) for of, begins, value, calls, *_ in rows}
    rest = count_rest(connection, question, dimension, span)
    values = frozenset(row[2] for row in rows) | frozenset([None] if rest else [])
    only = Only(values, frozenset(row[1] for row in rows) if times else None)
    return Chosen(first({**counts, **rest}, question, limit), number + len(rest), only)


def choose_values(
    connection: Connection,
    question: Question,
    dimension: str,
    spans: Sequence[Span],
    edges: Edges,
    limit: int,
) -> Chosen:
    """The first groups where each is a value of a dimension, in several spans and edges."""
    at_edges = edges.counts()
    known = {key[0]: numbers for key, numbers in at_edges.items() if key[0] is not None}
    found, number = rank_values(connection, question, dimension, spans, known, limit)
    calls: dict[Key, int] = {(value,): count for value, count in found.items()}
    live, replayed = at_edges.get((None,), (0, 0))
    if has_rest(question, dimension):
        more = number_without(connection, question, dimension, spans)
        live, replayed = live + more[0], replayed + more[1]
    if live or replayed:
        calls[None,] = live
        number += 1
    keys = first(calls, question, limit)
    return Chosen(keys, number, Only(frozenset(key[0] for key in keys)))


def _cells_in_order(
    connection: Connection, question: Question, dimension: str, span: Span, times: Sequence[str]
) -> Any:
    """A query for dimension, beginning, value and calls of the groups, as they come."""
    value = _r.value if connection.dialect.name == "sqlite" else _r.value.collate("C")
    if times:
        query = cells_of(question, dimension, span, _r.dimension, _r.begins, _r.value, _r.calls)
        return query.order_by(*(_r.begins if name in times else value for name in question.by))
    if span.hours == ALL:
        query = cells_of(question, dimension, span, _r.dimension, _r.begins, _r.value, _r.calls)
        return query.order_by(_r.calls.desc(), value)
    calls = func.sum(_r.calls)
    query = cells_of(question, dimension, span, _r.dimension, literal(0), _r.value, calls)
    return query.group_by(_r.dimension, _r.value).order_by(calls.desc(), value)


def number_of_values(connection: Connection, dimension: str) -> int:
    """How many values a dimension has; they are counted as they come and go."""
    query = cells_of(Question(), VALUES, Span(ALL, None, None), func.sum(_r.calls)).where(
        _r.value == dimension
    )
    return int(next(iter(fetched(connection, query)))[0] or 0)


def _number_of_cells(connection: Connection, question: Question, dimension: str, span: Span) -> int:
    if span.hours == ALL and has_rest(question, dimension):
        return number_of_values(connection, dimension)
    query = cells_of(question, dimension, span, func.count())
    return int(next(iter(fetched(connection, query)))[0] or 0)


def count_values(
    connection: Connection, question: Question, dimension: str, span: Span
) -> Iterator[tuple[Key, int, int]]:
    """How many calls, live ones and replayed ones, each value of a dimension has in a span."""
    query = cells_of(question, dimension, span, _r.value, func.sum(_r.calls), func.sum(_r.replayed))
    for value, live, replayed in fetched(connection, query.group_by(_r.value)):
        yield (value,), span.sign * int(live), span.sign * int(replayed)
    if has_rest(question, dimension):
        for part in read_rest(connection, question, dimension, span):
            yield part.key, part.sign * part.calls, part.sign * part.replayed


def number_without(
    connection: Connection, question: Question, dimension: str, spans: Sequence[Span]
) -> tuple[int, int]:
    """How many calls, live ones and replayed ones, have no value in a dimension; asked of all spans at once."""
    asked = [
        cells_of(
            *(question, of, span, literal_column(str(sign * span.sign)).label("sign")),
            *(func.sum(_r.calls).label("calls"), func.sum(_r.replayed).label("replayed")),
        )
        for span in spans
        for of, sign in ((PLAIN, 1), (ANY + dimension, -1))
    ]
    rows = list(fetched(connection, union_all(*asked))) if asked else []
    live, replayed = (sum(row[0] * int(row[place] or 0) for row in rows) for place in (1, 2))
    return live, replayed


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
