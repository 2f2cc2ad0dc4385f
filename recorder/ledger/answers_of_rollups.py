"""Figures of calls from rollups, which know of one dimension at a time, besides provider, host, model and time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from heapq import nsmallest
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, func, literal, select

from .answers_of_rows import add_rows
from .cells import (
    DAY,
    HOUR,
    KIND,
    KINDS,
    LONGEST_KIND,
    MONTH,
    PLAIN,
    SESSION,
    TAG,
    USER,
    kind_values,
    shortened,
    widths,
)
from .database import Database
from .figures import Figures, unpack_figures
from .periods import Span, cut
from .question import GROUPS, Key, Question, day_text, fetched, group, hour_text, in_order
from .tables import rollups

_r = rollups.c
_CORE = {"model": _r.model, "provider": _r.provider, "host": _r.host}
_KEY = (_r.dimension, _r.begins, _r.value, _r.provider, _r.host, _r.model)
_DIMENSIONS = {"user_id": USER, "session_id": SESSION, **dict.fromkeys(KINDS, KIND)}


def dimension_of(question: Question) -> str | None:
    """The dimension that has the answer; None where none has."""
    if question.conditions:
        return None
    needed = {shortened(TAG + name) for name in question.tags}
    for name in question.by:
        if name.startswith(TAG) or name == "tag":
            needed.add(shortened(name))
        elif (column := GROUPS[name]) not in ("", *_CORE):
            needed.add(_DIMENSIONS[column])
    for name in question.where:
        if name not in _CORE:
            needed.add(_DIMENSIONS.get(name, "?"))
    if not needed:
        return PLAIN
    dimension = needed.pop()
    if needed or dimension == "?" or ("hour" in question.by and HOUR not in widths(dimension)):
        return None
    return dimension


class Asked:
    """A question that rollups answer, and the spans and edges of its period."""

    def __init__(
        self, connection: Connection, database: Database, question: Question, dimension: str
    ) -> None:
        self._connection = connection
        self._question = question
        self._dimension = dimension
        longest = HOUR if "hour" in question.by else DAY if "day" in question.by else MONTH
        hours = [width for width in widths(dimension) if width <= longest]
        self._spans, edges = cut(question.since_us, question.until_us, hours)
        self._edges: dict[Key, Figures] = {}
        for edge in edges:
            add_rows(connection, database, question, edge, self._edges)
        self._edges_total: dict[Key, Figures] = {}
        if "tag" in question.by:
            # A call has several tags, or none.
            for edge in edges:
                add_rows(connection, database, replace(question, by=()), edge, self._edges_total)
        for figures in () if "tag" in question.by else self._edges.values():
            group(self._edges_total, ()).add(figures)

    def total(self) -> Figures:
        """The figures of all groups together."""
        question = replace(self._question, by=())
        dimension = dimension_of(question)
        assert dimension is not None, "what is asked for by groups can be asked for as a whole"
        # Wider cells may do here, but the edges are those of the groups.
        found: dict[Key, Figures] = {(): group(self._edges_total, ())}
        for span in self._spans:
            _add_cells(self._connection, question, dimension, span, found)
        return found[()]

    def groups(self, chosen: Mapping[Key, object] | None = None) -> dict[Key, Figures]:
        """The figures of groups: of those chosen, else of all that have calls."""
        found: dict[Key, Figures] = {}
        for span in self._spans:
            _add_cells(self._connection, self._question, self._dimension, span, found, chosen)
        for key, figures in self._edges.items():
            if chosen is None or key in chosen:
                group(found, key).add(figures)
        return {key: figures for key, figures in found.items() if not figures.empty}

    def most(self, limit: int) -> tuple[list[Key], int]:
        """The groups with the most calls, and how many groups there are."""
        question, dimension = self._question, self._dimension
        if self._edges or len(self._spans) != 1 or len(question.by) != 1 or dimension == "tag":
            counts = self.counts()
            return highest(counts, limit), len(counts)
        (span,) = self._spans
        counts, number, counted = _highest(self._connection, question, dimension, span, limit)
        if _has_rest(question, dimension) and counted != _number(self._connection, question, PLAIN, span):
            rest = _count_rest(self._connection, question, dimension, span)
            counts, number = {**counts, **rest}, number + len(rest)
        return highest(counts, limit), number

    def counts(self) -> dict[Key, int]:
        """How many calls each group has, the replayed ones not among them."""
        counts = Counter({key: figures.calls for key, figures in self._edges.items()})
        for span in self._spans:
            counts.update(_counts(self._connection, self._question, self._dimension, span))
        return counts


def highest(counts: Mapping[Key, int], limit: int) -> list[Key]:
    """The keys with the highest counts."""
    return nsmallest(limit, counts, key=lambda key: (-counts[key], in_order(key)))


def _add_cells(
    connection: Connection,
    question: Question,
    dimension: str,
    span: Span,
    found: dict[Key, Figures],
    chosen: Mapping[Key, object] | None = None,
) -> None:
    """Add up what rollups have of a span: of the groups chosen, else of all."""
    read_key = _cell_key(question.by, dimension)
    fits = _fits(question)
    query = _cells(question, dimension, span, *_KEY, _r.figures)
    if chosen is not None and (place := _value_place(question.by, dimension)) is not None:
        values = {key[place] for key in chosen}
        query = query.where(_r.value.in_([value for value in values if value is not None]))
    for *cell, figures in fetched(connection, query):
        if fits is not None and not fits(cell[2]):
            continue
        key = read_key(*cell)
        if chosen is None or key in chosen:
            group(found, key).add_stored(unpack_figures(figures))
    if _has_rest(question, dimension) and (chosen is None or any(None in key for key in chosen)):
        _add_rest(connection, question, dimension, span, found, chosen)


def _counts(connection: Connection, question: Question, dimension: str, span: Span) -> Counter[Key]:
    """How many calls the groups of a span have."""
    counts: Counter[Key] = Counter()
    read_key = _cell_key(question.by, dimension)
    grouped = [_r.value, *(_CORE[name] for name in question.by if name in _CORE)]
    if dimension == "tag":
        grouped.append(_r.dimension)
    known = [column if column in grouped else literal("") for column in _KEY]
    query = _cells(question, dimension, span, *known, func.sum(_r.calls)).group_by(*grouped)
    for *cell, number in fetched(connection, query):
        counts[read_key(*cell)] += int(number)
    if _has_rest(question, dimension):
        counts.update(_count_rest(connection, question, dimension, span))
    return counts


def _highest(
    connection: Connection, question: Question, dimension: str, span: Span, limit: int
) -> tuple[dict[Key, int], int, tuple[int, int]]:
    """The values of a dimension with the most calls in a span, how many values there are, and `_number` of all."""
    number, replayed = func.sum(_r.calls), func.sum(_r.replayed)
    sums = func.sum(number).over(), func.sum(replayed).over()
    order = _r.value if connection.dialect.name == "sqlite" else _r.value.collate("C")
    query = _cells(question, dimension, span, _r.value, number, func.count().over(), *sums)
    query = query.group_by(_r.value).order_by(number.desc(), order).limit(limit)
    rows = list(fetched(connection, query))
    values, live, others = map(int, rows[0][2:]) if rows else (0, 0, 0)
    return {(row[0],): int(row[1]) for row in rows}, values, (live, others)


def _count_rest(connection: Connection, question: Question, dimension: str, span: Span) -> dict[Key, int]:
    """How many calls the groups of those have that have no value in a dimension."""
    rest: dict[Key, Figures] = {}
    _add_rest(connection, question, dimension, span, rest, None)
    return {key: figures.calls for key, figures in rest.items() if not figures.empty}


def _value_place(by: Sequence[str], dimension: str) -> int | None:
    """Where in a key the value of a dimension is."""
    names = {USER: "user", SESSION: "session"}
    name = names.get(dimension, dimension)
    return next((place for place, each in enumerate(by) if shortened(each) == name and each != "tag"), None)


def _has_rest(question: Question, dimension: str) -> bool:
    """Whether calls without a value in the dimension are asked for too."""
    return dimension not in (PLAIN, KIND, "tag") and dimension not in _wanted(question)


def _wanted(question: Question) -> dict[str, str]:
    """The values that are asked for, by their dimensions."""
    columns = {"user_id": USER, "session_id": SESSION}
    wanted = {columns[name]: str(value) for name, value in question.where.items() if name in columns}
    return wanted | {shortened(TAG + name): value for name, value in question.tags.items()}


def _add_rest(
    connection: Connection,
    question: Question,
    dimension: str,
    span: Span,
    found: dict[Key, Figures],
    chosen: Mapping[Key, object] | None,
) -> None:
    """The calls that have no value in a dimension: all calls, less those that have one."""
    if _number(connection, question, PLAIN, span) == _number(connection, question, dimension, span):
        return
    read_key = _cell_key(question.by, PLAIN)
    for sign, of in ((1, PLAIN), (-1, dimension)):
        for *cell, figures in fetched(connection, _cells(question, of, span, *_KEY, _r.figures)):
            key = read_key(*cell)
            if chosen is None or key in chosen:
                group(found, key).add_stored(unpack_figures(figures), sign)


def _number(connection: Connection, question: Question, dimension: str, span: Span) -> tuple[int, int]:
    """How many calls, live ones and replayed ones together, a dimension has in a span."""
    query = _cells(question, dimension, span, func.sum(_r.calls), func.sum(_r.replayed))
    live, replayed = next(iter(fetched(connection, query)))
    return int(live or 0), int(replayed or 0)


def _cells(question: Question, dimension: str, span: Span, *columns: Any) -> Any:
    query = select(*columns).where(_r.hours == span.hours)
    if dimension == "tag":
        query = query.where(_r.dimension >= TAG, _r.dimension < "tag;")
    else:
        query = query.where(_r.dimension == dimension)
    if span.first is not None:
        query = query.where(_r.begins >= span.first)
    if span.last is not None:
        query = query.where(_r.begins < span.last)
    for name, column in _CORE.items():
        if name in question.where:
            query = query.where(column == shortened(str(question.where[name])))
    if (wanted := _wanted(question).get(dimension)) is not None:
        query = query.where(_r.value == shortened(wanted))
    return query


def _fits(question: Question) -> Callable[[str], bool] | None:
    """Whether a value of the dimension `kind` is asked for."""
    wanted = {
        KINDS.index(name): shortened(value, LONGEST_KIND) if isinstance(value, str) else value
        for name, value in question.where.items()
        if name in KINDS
    }
    if not wanted:
        return None

    @cache
    def fits(text: str) -> bool:
        values = kind_values(text)
        return all(values[place] == value for place, value in wanted.items())

    return fits


def _cell_key(by: Sequence[str], dimension: str) -> Callable[..., Key]:
    """What reads a key from a cell."""
    readers = [_cell_reader(name, dimension) for name in by]

    def read_key(*cell: Any) -> Key:
        return tuple([read(*cell) for read in readers])

    return read_key


def _cell_reader(name: str, dimension: str) -> Callable[[str, int, str, str, str, str], str | None]:
    if name == "day":
        return lambda of, begins, value, provider, host, model: day_text(begins)
    if name == "hour":
        return lambda of, begins, value, provider, host, model: hour_text(begins)
    if name == "provider":
        return lambda of, begins, value, provider, host, model: provider
    if name == "host":
        return lambda of, begins, value, provider, host, model: host
    if name == "model":
        return lambda of, begins, value, provider, host, model: model or None
    if dimension == PLAIN:
        return lambda *cell: None
    if name == "tag":
        return lambda of, begins, value, provider, host, model: f"{of.removeprefix(TAG)}={value}"
    if dimension == KIND:
        place = KINDS.index(GROUPS[name])
        return lambda of, begins, value, provider, host, model: _text(_kind_values(value)[place])
    return lambda of, begins, value, provider, host, model: value


_kind_values = lru_cache(maxsize=4096)(kind_values)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def many(dimension: str) -> bool:
    """Whether a dimension may have so many values that the figures of all would take long."""
    return dimension not in (PLAIN, KIND)
