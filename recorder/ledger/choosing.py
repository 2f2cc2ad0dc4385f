"""Which groups an answer shows, found without the figures of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import nlargest, nsmallest
from operator import add as plus
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, func, literal

from .cell_keys import key_reader, value_place
from .cells import ALL, DAY, HOUR, NOWHERE, PLAIN, kinds_of
from .counting_values import all_have_values, count_rest, number_of_cells, number_without
from .dimensions import CORE, has_rest, needs_cuts
from .edges import Edges, Numbers
from .leading import Counts, Groups, calls_of, count_groups, leading_groups
from .periods import Span
from .question import Key, Question, fetched, in_order
from .ranking import rank_values
from .reading_cells import Only, cells_of, is_here, read_rest
from .tables import rollups
from .value_counts import has_places
from .value_numbers import NUMBERED

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
    """The groups that come first with their calls, how many groups there are, and which cells those are made of."""

    calls: Mapping[Key, int]
    number: int
    only: Only


def is_by_value(question: Question, dimension: str) -> bool:
    """Whether a group is one value of a dimension, or one of its times, or such a time itself."""
    named = [name for name in question.by if name not in _IN_TIME]
    if dimension == "tag" or kinds_of(dimension):
        return False
    return len(named) <= (dimension != PLAIN) and not needs_cuts(question)


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
        number = number_of_cells(connection, question, dimension, span)
        rows = list(fetched(connection, query))
    else:
        rows = list(fetched(connection, query.add_columns(func.count().over())))
        number = int(rows[0][4]) if rows else 0
    read_key = key_reader(question.by, dimension)
    counts = {read_key(of, begins, value, NOWHERE): int(calls) for of, begins, value, calls, *_ in rows}
    rest = count_rest(connection, question, dimension, span)
    values = frozenset(row[2] for row in rows) | frozenset([None] if rest else [])
    only = Only(values, frozenset(row[1] for row in rows) if times else None)
    calls = {**counts, **rest}
    return Chosen({key: calls[key] for key in first(calls, question, limit)}, number + len(rest), only)


def choose_values(
    connection: Connection,
    question: Question,
    dimension: str,
    spans: Sequence[Span],
    edges: Edges,
    limit: int,
    numbered: Sequence[Span] | None = None,
) -> Chosen | None:
    """The first groups where each is a value of a dimension, maybe of one model, in several spans and edges.

    `numbered` are the spans of the same hours in which calls are counted by the numbers of values. None where groups
    are best found in other ways.
    """
    at = value_place(question.by, dimension) or 0
    at_edges = edges.counts()
    known = {key: numbers for key, numbers in at_edges.items() if key[at] is not None}
    found = None
    if numbered is not None:
        counts = count_groups(connection, _groups(question, dimension, at), numbered, known)
        leading = None if counts is None else leading_groups(connection, counts, max(limit, 1))
        if counts is not None and leading is not None:
            found = leading, counts.number
    if found is None:
        if len(question.by) > 1:
            return None
        found = _ranked(connection, question, dimension, spans, known, limit)
    calls, number = found
    without = {key: numbers for key, numbers in at_edges.items() if key[at] is None}
    rest = _rest(connection, question, dimension, spans, without)
    calls = {**calls, **rest}
    keys = first(calls, question, limit)
    only = Only(frozenset(key[at] for key in keys))
    return Chosen({key: calls[key] for key in keys}, number + len(rest), only)


class Numbered(Struct, frozen=True):
    """How many calls the groups of a period have: those with a value by its number, those without by themselves."""

    counts: Counts
    rest: Mapping[Key, int]


def count_numbered(
    connection: Connection,
    question: Question,
    dimension: str,
    spans: Sequence[Span],
    edges: Edges,
    numbered: Sequence[Span],
) -> Numbered | None:
    """The calls of all groups, without the names of their values."""
    at = value_place(question.by, dimension) or 0
    at_edges = edges.counts()
    known = {key: numbers for key, numbers in at_edges.items() if key[at] is not None}
    counts = count_groups(connection, _groups(question, dimension, at), numbered, known)
    if counts is None:
        return None
    without = {key: numbers for key, numbers in at_edges.items() if key[at] is None}
    return Numbered(counts, _rest(connection, question, dimension, spans, without))


def choose_of_both(
    connection: Connection, question: Question, dimension: str, now: Numbered, before: Numbered, limit: int
) -> tuple[list[Key], int, tuple[Chosen, Chosen]] | None:
    """The first groups of a period, as they are in it and in another one, and how many there are in either.

    None where groups are to be shown that are in the other one alone, or where they are best found in other ways.
    """
    if now.counts.number + len(now.rest) < limit:
        return None
    leading = leading_groups(connection, now.counts, limit)
    if leading is None:
        return None
    at = value_place(question.by, dimension) or 0
    calls = {**leading, **now.rest}
    keys = first(calls, question, limit)
    then = {key: before.rest.get(key, 0) for key in keys if key[at] is None}
    then |= calls_of(connection, before.counts, [key for key in keys if key[at] is not None])
    gone = before.counts.others(now.counts) + len(before.rest.keys() - now.rest.keys())
    number = now.counts.number + len(now.rest) + gone
    only = Only(frozenset(key[at] for key in keys))
    here = {key: calls[key] for key in keys}
    return keys, number, (Chosen(here, number, only), Chosen(then, number, only))


def _ranked(
    connection: Connection,
    question: Question,
    dimension: str,
    spans: Sequence[Span],
    edges: Mapping[Key, Numbers],
    limit: int,
) -> tuple[dict[Key, int], int]:
    values = {value: numbers for (value,), numbers in edges.items() if value is not None}
    found, number = rank_values(connection, question, dimension, spans, values, limit)
    return {(value,): calls for value, calls in found.items()}, number


def _groups(question: Question, dimension: str, at: int) -> Groups:
    read_key = key_reader(question.by, dimension)
    here = is_here(question)
    cut = needs_cuts(question)
    return Groups(
        dimension,
        at,
        lambda place: read_key(dimension, 0, "", place) if not cut or here(place) else None,
        cut,
    )


def _rest(
    connection: Connection,
    question: Question,
    dimension: str,
    spans: Sequence[Span],
    edges: Mapping[Key, Numbers],
) -> dict[Key, int]:
    """How many calls have no value, by group, those at edges with the others."""
    found = {key: [*numbers] for key, numbers in edges.items()}
    if has_rest(question, dimension) and not all_have_values(connection, question, dimension):
        if needs_cuts(question):
            parts = [part for span in spans for part in read_rest(connection, question, dimension, span)]
            more = [(part.key, part.sign * part.calls, part.sign * part.replayed) for part in parts]
        else:
            more = [((None,), *number_without(connection, question, dimension, spans))]
        for key, *numbers in more:
            found[key] = list(map(plus, found.get(key, (0, 0)), numbers))
    return {key: live for key, (live, replayed) in found.items() if live or replayed}


def is_numbered(question: Question, dimension: str) -> bool:
    """Whether all groups go by values of a dimension that have numbers by which their calls are kept."""
    if dimension not in NUMBERED or not has_rest(question, dimension):
        return False
    others = [name for at, name in enumerate(question.by) if at != value_place(question.by, dimension)]
    return all(name in CORE for name in others) and (has_places(dimension) or not needs_cuts(question))


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
