"""Figures of calls from rollups, which know of one dimension at a time, besides provider, host, model and time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from msgspec.structs import replace
from sqlalchemy import Connection

from .cell_keys import value_place
from .cells import ALL, DAY, HOUR, HOUR_US, MONTH, QUARTER, SESSION, has_quarters, widths
from .choosing import (
    Chosen,
    Numbered,
    choose,
    choose_values,
    count_numbered,
    first,
    is_by_value,
    is_numbered,
)
from .counting_values import count_values
from .database import Database
from .dimensions import dimension_of, needs_cuts
from .edges import Edges
from .figures import Figures, Stored
from .kept_cells import cuts_of
from .kept_figures import unpack_figures
from .periods import Hours, Span, cut, narrowed, spans_of
from .question import Key, Question, group
from .reading_cells import ALL_CELLS, MOST_NAMED, Only, Part, count_parts, read_parts
from .value_counts import WIDTHS

_FEW: Final = 2_000
"""Up to so many cells are looked for one by one in less time than among all of their hours."""


class Asked:
    """A question that rollups answer, and the spans and edges of its period."""

    def __init__(
        self, connection: Connection, database: Database, question: Question, dimension: str
    ) -> None:
        self._connection = connection
        self._question = question
        self._dimension = dimension
        self._known = _known_hours(connection)
        self._database = database
        self._hours, self._parts_of_hours = cut(question.since_us, question.until_us, self._known)
        self._spans, self._edges = self._cut(question, dimension)
        self._quarters = [span for span in self._spans if span.hours == QUARTER]

    def total(self) -> Figures:
        """The figures of all groups together."""
        question = replace(self._question, by=())
        dimension = dimension_of(question)
        assert dimension is not None, "what is asked for by groups can be asked for as a whole"
        if self._edges.apart:
            spans, edges = self._cut(question, dimension)
        else:
            spans, edges = self._spans_of(question, dimension), self._edges
            spans += self._quarters
        found: dict[Key, Figures] = {}
        group(found, ()).add(edges.total())
        for span in spans:
            _add_all(found, read_parts(self._connection, question, dimension, span))
        return found[()]

    def _cut(self, question: Question, dimension: str) -> tuple[list[Span], Edges]:
        """The widest cells of a dimension that come to the period, and what is left at its edges."""
        spans, edges = self._spans_of(question, dimension), self._parts_of_hours
        if has_quarters(dimension):
            quarters, edges = narrowed(edges, self._known)
            spans += quarters
        return spans, Edges(self._connection, self._database, question, edges)

    def _spans_of(self, question: Question, dimension: str) -> list[Span]:
        """The widest cells of a dimension that come to the whole hours."""
        in_time = next((name for name in ("hour", "day") if name in question.by), None)
        if self._hours is None:
            return []
        if in_time is None and self._hours == (None, None):
            return [Span(ALL, None, None)]
        longest = {"hour": HOUR, "day": DAY, None: MONTH}[in_time]
        return spans_of(self._hours, [each for each in widths(dimension) if each <= longest], self._known)

    def groups(self) -> dict[Key, Figures]:
        """The figures of all groups that have calls."""
        found = self._figures(None, [part for span in self._spans for part in self._parts(span)])
        return {key: figures for key, figures in found.items() if not figures.empty}

    def first(self, limit: int) -> tuple[dict[Key, Figures], int]:
        """The figures of the groups that come first, and how many more there are."""
        chosen = self._choose(limit)
        if chosen is None:
            return self._first_of_all(limit)
        return self.chosen(chosen), chosen.number - len(chosen.calls)

    def chosen(self, chosen: Chosen) -> dict[Key, Figures]:
        """The figures of chosen groups."""
        found = self._all_within(chosen)
        if left := chosen.calls.keys() - found.keys():
            only = chosen.only
            if found and only.values is not None:
                only = replace(only, values=only.values - {value for (value,) in found})
            parts = [part for span in self._spans for part in self._parts(span, self._told_apart(span, only))]
            found |= self._figures(left, parts)
        return found

    def numbered(self) -> Numbered | None:
        """How many calls all groups have, by the numbers of their values; None where these have none."""
        question, dimension = self._question, self._dimension
        if not self._is_numbered():
            return None
        return count_numbered(
            *(self._connection, question, dimension, self._spans, self._edges, self._numbered_spans())
        )

    def _is_numbered(self) -> bool:
        place = value_place(self._question.by, self._dimension)
        return place is not None and is_numbered(self._question, self._dimension)

    def _numbered_spans(self) -> list[Span]:
        return [] if self._hours is None else spans_of(self._hours, WIDTHS, self._known)

    def _all_within(self, chosen: Chosen) -> dict[Key, Figures]:
        """The figures of chosen sessions that have all their calls in the period, as most do: from one cell of each."""
        found: dict[Key, Figures] = {}
        values = chosen.only.values
        whole = Span(ALL, None, None)
        if (
            self._dimension != SESSION
            or self._value_place() is None
            or values is None
            or len(values) > MOST_NAMED  # the cells of all sessions would come
            or self._spans == [whole]
        ):
            return found
        parts = self._parts(whole, Only(values - {None}))
        _add_all(
            found, [part for part in parts if part.calls == chosen.calls[part.key] and not part.replayed]
        )
        return found

    def _told_apart(self, span: Span, only: Only) -> Only:
        """Which cells of a span are enough, each by the hour in which it begins where they are few."""
        if only.values is None or only.begins is not None or span.first is None or span.hours < HOUR:
            return only
        last = self._known.last if span.last is None else span.last
        begins = range(span.first, span.first if last is None else last, span.hours)
        return replace(only, begins=frozenset(begins)) if len(begins) * len(only.values) <= _FEW else only

    def _choose(self, limit: int) -> Chosen | None:
        """Which groups come first, without their figures; None where that is no easier."""
        question, dimension, spans = self._question, self._dimension, self._spans
        by_value = is_by_value(question, dimension)
        numbered = self._is_numbered()
        if by_value and len(spans) == 1 and not self._edges and (spans[0].hours == ALL or not numbered):
            return choose(self._connection, question, dimension, spans[0], limit)
        asked = self._connection, question, dimension, spans, self._edges, limit
        if numbered:
            return choose_values(*asked, self._numbered_spans())
        return choose_values(*asked) if by_value and self._value_place() is not None else None

    def counts(self) -> dict[Key, int]:
        """How many calls each group has; those that have replayed calls alone are there with none."""
        if self._value_place() is not None and not needs_cuts(self._question):
            return self._counts_of_values()
        return self._counts_of_cells()

    def of(self, keys: Collection[Key]) -> dict[Key, Figures]:
        """The figures of some groups."""
        place = value_place(self._question.by, self._dimension)
        only = ALL_CELLS if place is None else Only(frozenset(key[place] for key in keys))
        return self._figures(
            frozenset(keys), [part for span in self._spans for part in self._parts(span, only)]
        )

    def _value_place(self) -> int | None:
        """Where in a key its value is, where it has nothing else."""
        return value_place(self._question.by, self._dimension) if len(self._question.by) == 1 else None

    def _counts_of_values(self) -> dict[Key, int]:
        return self._counts(
            counted
            for span in self._spans
            for counted in count_values(self._connection, self._question, self._dimension, span)
        )

    def _counts_of_cells(self) -> dict[Key, int]:
        asked = self._connection, self._question, self._dimension
        return self._counts(counted for span in self._spans for counted in count_parts(*asked, span))

    def _counts_of_parts(self, parts: Iterable[Part]) -> dict[Key, int]:
        return self._counts((part.key, part.sign * part.calls, part.sign * part.replayed) for part in parts)

    def _counts(self, counted: Iterable[tuple[Key, int, int]]) -> dict[Key, int]:
        at_edges = self._edges.counts()
        live = {key: number for key, (number, _) in at_edges.items()}
        replayed = {key: number for key, (_, number) in at_edges.items()}
        for key, number, others in counted:
            live[key] = live.get(key, 0) + number
            if others:
                replayed[key] = replayed.get(key, 0) + others
        return {key: number for key, number in live.items() if number or replayed.get(key)}

    def _first_of_all(self, limit: int) -> tuple[dict[Key, Figures], int]:
        """The same, where the parts of all groups are read, and the figures of those that are shown."""
        if value_place(self._question.by, self._dimension) is not None:
            counts = self._counts_of_cells()
            keys = first(counts, self._question, limit)
            return dict(self.of(keys)), len(counts) - len(keys)
        parts = [part for span in self._spans for part in self._parts(span)]
        counts = self._counts_of_parts(parts)
        chosen = first(counts, self._question, limit)
        return self._figures(set(chosen), parts), len(counts) - len(chosen)

    def _parts(self, span: Span, only: Only = ALL_CELLS) -> Iterator[Part]:
        return read_parts(self._connection, self._question, self._dimension, span, only)

    def _figures(self, chosen: Collection[Key] | None, parts: Collection[Part]) -> dict[Key, Figures]:
        """The figures of groups: of those chosen, else of all."""
        found: dict[Key, Figures] = {}
        _add_all(found, parts if chosen is None else [part for part in parts if part.key in chosen])
        for key, figures in self._edges.figures(chosen).items():
            if chosen is None or key in chosen:
                group(found, key).add(figures)
        return found


def _known_hours(connection: Connection) -> Hours:
    """The hours that have calls."""
    # Each by itself, so that SQLite looks at the end of an index.
    query = "SELECT (SELECT min(started_us) FROM calls), (SELECT max(started_us) FROM calls)"
    first, last = connection.exec_driver_sql(query).one()
    return Hours((first or 0) // HOUR_US, (last or 0) // HOUR_US + 1)


def _add_all(found: dict[Key, Figures], parts: Iterable[Part]) -> None:
    """Add parts to groups, or take them away: all of a group that is added in one go."""
    added: dict[Key, list[Stored]] = {}
    for key, calls, replayed, figures, cuts, sign in parts:
        some = [figures] if cuts is None else [cut[5] for cut in cuts_of(calls, replayed, figures, cuts)]
        if sign > 0:
            known = added.get(key)
            if known is None:
                known = added[key] = []
            known += map(unpack_figures, some)
        else:
            for packed in some:
                group(found, key).add_stored(unpack_figures(packed), sign)
    for key, stored in added.items():
        group(found, key).add_many(stored)
