"""The users or sessions with most calls of a period, found among the counts of all, which are few long rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import nlargest
from itertools import chain
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, literal_column, select, union_all

from .cells import NOWHERE
from .edges import Numbers
from .histogram_sum import Sum
from .periods import Span
from .question import Key, fetched
from .tables import value_counts
from .value_counts import ANYWHERE, PART, place_of
from .value_numbers import Value, numbers_of, values_of

_MOST_ALIKE: Final = 2_000
"""How many values are looked up at most, where many have as many calls as the last one that is shown."""

_ONE: Final = bytes([0]) + bytes([1]) * 255
_c = value_counts.c

_Part = tuple[Key, int]
"""What groups of a part of all numbers have in common."""


class _Found(Struct):
    """Values by where they are in their part, their calls, how many are there, and the least calls that these have."""

    at: Sequence[int]
    calls: Sequence[int]
    number: int
    least: int


class Groups(Struct, frozen=True):
    """Groups by the values of a dimension, which are at a place of their keys, and maybe by provider, host and model.

    `key_of` gives the key of such a place, but for the value; None where it is not asked for.
    """

    dimension: str
    value_at: int
    key_of: Callable[[Sequence[str]], Key | None]
    cut: bool

    def key(self, key: Key, value: str) -> Key:
        """A key with the value in it."""
        return (*key[: self.value_at], value, *key[self.value_at + 1 :])


class Counts(Struct):
    """How many calls each group has, by the numbers of their values, in parts of these."""

    groups: Groups
    parts: dict[_Part, _Found]

    @property
    def number(self) -> int:
        """How many groups there are in all."""
        return sum(part.number for part in self.parts.values())

    def others(self, known: Counts) -> int:
        """How many groups there are that are not in other counts."""
        number = 0
        for key, part in self.parts.items():
            there = _marks(part)
            if key in known.parts:
                there &= ~_marks(known.parts[key])
            number += there.bit_count()
        return number


def count_groups(
    connection: Connection, groups: Groups, spans: Sequence[Span], edges: Mapping[Key, Numbers]
) -> Counts | None:
    """How many calls groups have in the spans and the edges together; None where a value at these has no number."""
    values = {value for key in edges if (value := key[groups.value_at]) is not None}
    numbers = numbers_of(connection, ((groups.dimension, value) for value in values))
    if len(numbers) < len(values):
        return None
    sums = _sums(connection, groups, spans, _by_number(groups, edges, numbers))
    return Counts(groups, {part: _found(*both) for part, both in sums.items()})


def leading_groups(connection: Connection, counts: Counts, limit: int) -> dict[Key, int] | None:
    """The groups with most calls, maybe a few more.

    None where so many have as many calls as the last of them that the database finds them sooner.
    """
    least = _least([part.calls for part in counts.parts.values()], limit)
    found: list[tuple[Key, int, int]] = []
    for (key, part), known in counts.parts.items():
        found += ((key, part * PART + at, calls) for at, calls in _from(known, max(least, known.least)))
        if len(found) > limit + _MOST_ALIKE:
            return None
    names = values_of(connection, list({number for _, number, _ in found}))
    return {counts.groups.key(key, names[number]): calls for key, number, calls in found}


def calls_of(connection: Connection, counts: Counts, keys: Iterable[Key]) -> dict[Key, int]:
    """How many calls some groups have, none of them without a value."""
    groups = counts.groups
    values = {key: key[groups.value_at] or "" for key in keys}
    numbers = numbers_of(connection, {(groups.dimension, value) for value in values.values()})
    found: dict[Key, int] = {}
    for key, value in values.items():
        part, at = divmod(numbers.get((groups.dimension, value), -1), PART)
        known = counts.parts.get((groups.key(key, ""), part))
        found[key] = 0 if known is None or at not in known.at else known.calls[known.at.index(at)]
    return found


def _by_number(
    groups: Groups, edges: Mapping[Key, Numbers], numbers: Mapping[Value, int]
) -> Iterator[tuple[Key, int, Numbers]]:
    """Edges by their keys without values, and the numbers of these."""
    for key, counts in edges.items():
        value = key[groups.value_at]
        if value is not None:
            yield groups.key(key, ""), numbers[groups.dimension, value], counts


def _sums(
    connection: Connection,
    groups: Groups,
    spans: Sequence[Span],
    edges: Iterable[tuple[Key, int, Numbers]],
) -> dict[_Part, tuple[Sum, Sum]]:
    """Live calls and replayed ones of all values."""
    sums: dict[_Part, tuple[Sum, Sum]] = {}
    for sign, text, part, *counts in _rows(connection, groups, spans):
        key = groups.key_of(place_of(text) if text else NOWHERE)
        if key is not None:
            for of, data in zip(sums.setdefault((key, part), (Sum(), Sum())), counts, strict=True):
                of.add(data, sign)
    for key, number, numbers in edges:
        part, at = divmod(number, PART)
        for of, count in zip(sums.setdefault((key, part), (Sum(), Sum())), numbers, strict=True):
            of.add_counts({at: count})
    return sums


def _rows(connection: Connection, groups: Groups, spans: Sequence[Span]) -> Iterable[Any]:
    asked = []
    for span in spans:
        sign: Any = literal_column(str(span.sign)).label("sign")
        hours = _c.hours == literal_column(str(span.hours))
        where = _c.place != ANYWHERE if groups.cut else _c.place == ANYWHERE
        query = select(sign, _c.place, _c.part, _c.calls, _c.replayed).where(
            _c.dimension == groups.dimension, hours, where
        )
        if span.first is not None:
            query = query.where(_c.begins >= span.first)
        if span.last is not None:
            query = query.where(_c.begins < span.last)
        asked.append(query)
    return fetched(connection, union_all(*asked)) if asked else ()


def _found(live: Sum, replayed: Sum) -> _Found:
    at, calls = live.in_order()
    others = replayed.counts()
    if not others:
        return _Found(at, calls, len(calls) - calls.count(0), 1)
    # Who has nothing but replayed calls is there too.
    there = {
        **dict.fromkeys(others, 0),
        **{place: count for place, count in zip(at, calls, strict=True) if count},
    }
    return _Found(list(there), list(there.values()), len(there), 0)


def _marks(found: _Found) -> int:
    """A byte for each place of a part, which is one where a group is there."""
    if isinstance(found.calls, bytes) and isinstance(found.at, range):
        return int.from_bytes(found.calls.translate(_ONE), "little") << 8 * found.at.start
    marks = bytearray(PART)
    for at, calls in zip(found.at, found.calls, strict=True):
        marks[at] = calls >= found.least
    return int.from_bytes(marks, "little")


def _least(rows: Sequence[Sequence[int]], limit: int) -> int:
    """How many calls the last one has that is shown."""
    first: list[int] = []
    for calls in rows:
        more = _above(calls, first[-1]) if len(first) == limit else calls
        if more:
            first = nlargest(limit, chain(first, more))
    return first[-1] if len(first) == limit else 0


def _above(calls: Sequence[int], least: int) -> Sequence[int]:
    if isinstance(calls, bytes):
        return calls.translate(None, bytes(range(min(least, 255) + 1)))
    return [number for number in calls if number > least]


def _from(found: _Found, least: int) -> Iterator[tuple[int, int]]:
    """Those that have at least so many calls."""
    calls = found.calls
    if isinstance(calls, bytes) and 0 < least < 256:
        for match in re.finditer(b"[" + re.escape(bytes((least,))) + b"-\xff]", calls):
            yield found.at[match.start()], calls[match.start()]
        return
    for at, number in zip(found.at, calls, strict=True):
        if number >= least:
            yield at, number
