"""Many calls counted by the database itself: sums by group, and times as lists of numbers in one text each.

A database adds numbers up in a fraction of the time that it takes to hand them over one by one; buckets are found
here, so that both databases and the rollups agree on them.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Text, and_, case, cast, func, literal_column, select
from sqlalchemy.exc import OperationalError

from .buckets import count_buckets
from .counting import tallies
from .figures import (
    CACHE_KNOWN,
    CACHE_SAVED,
    CANCELLED_COST,
    COST,
    FACT_COLUMNS,
    INPUT_OF_CACHED,
    MONEY,
    OUTCOMES,
    PRICED,
    REPLAYED,
    REPLAYS,
    REPLAYS_SAVED,
    RETRIED,
    RETRIED_COST,
    TIMES,
    TOKENS,
    UNPRICED,
    WITHOUT_USAGE,
    Tally,
    tokens_at,
)
from .question import fetched
from .tables import calls

_c = calls.c
_USED: Final = tuple(_c[f"{name}_tokens"] for name in TOKENS)
_BETWEEN: Final = "\x1f"
# Rows are sorted by this, and two short columns take half of the time of five.
_KIND: Final = (
    case(*((_c.outcome == name, place) for place, name in enumerate(OUTCOMES)), else_=1) * 4
    + _c.replayed * 2
    + case((_c.attempt > 1, 1), else_=0),
    case(
        (_c.error_type.is_(None), _c.currency),
        else_=func.coalesce(_c.currency, "").op("||")(_BETWEEN).op("||")(_c.error_type),
    ),
)
_MOST_OUTPUT: Final = 9_000_000_000
"""With more tokens than this, thousandths of them a second are beyond 64 bits."""

_AT_ONCE: Final = 2_000_000
"""Groups of so many calls at a time have texts that fit into memory with ease."""


_FEW: Final = 800
"""Fewer calls take less time one by one."""


def _sum(of: ColumnElement[Any]) -> ColumnElement[int]:
    return func.coalesce(func.sum(of), 0)


_SUMS: Final = (
    *(func.count(), func.coalesce(func.max(_c.output_tokens), 0)),
    *(part for column in _USED for part in (_sum(column), func.count(column))),
    *(func.count(case((and_(*(column.is_(None) for column in _USED)), 1))),),
    *(_sum(case((_c.cached_tokens.is_not(None), _c.input_tokens))),),
    *(func.count(_c.cost_pico), _sum(_c.cost_pico)),
    *(func.count(case((_c.cost_pico.is_not(None), _c.cache_saved_pico))),),
    *(_sum(case((_c.cost_pico.is_not(None), _c.cache_saved_pico))),),
)
_FIRST_SUM: Final = len(_KIND)
_FIRST_TIME: Final = _FIRST_SUM + len(_SUMS)


def _speed() -> ColumnElement[int]:
    """What `figures.speed_of` says of a call, in SQL."""
    thought, token = _c.first_reasoning_us, _c.first_token_us
    first = case((thought.is_(None), token), (token < thought, token), else_=thought)
    streamed = _c.stream != 0
    number = _c.output_tokens - case((streamed, 1), else_=0)
    spent = _c.duration_us - case((streamed, first), else_=0)
    within = _c.output_tokens.between(-_MOST_OUTPUT, _MOST_OUTPUT)
    speed = (number * literal_column("1000000000")).op("/")(func.nullif(spent, 0))
    return case((and_(within, _c.output_tokens != 0, number != 0, spent > 0), speed))


_TIMES: Final = (_c.duration_us, _c.first_chunk_us, _c.first_token_us, _speed())


def grouped(
    connection: Connection,
    query_of: Callable[..., Select[Any]],
    key: Sequence[ColumnElement[Any]],
    *,
    few: bool = False,
    most: int | None = None,
) -> dict[Any, Tally]:
    """A tally for each key, of the calls that `query_of` asks some columns of.

    `few` says that these may be few, and `most` how many they are at most.
    """
    if most is None or most >= _FEW:
        most = (connection.scalar(query_of(func.count())) or 0) if few else _FEW
    if most < _FEW:
        return tallies(fetched(connection, query_of(*key, *FACT_COLUMNS)), len(key))
    found = _grouped(connection, query_of, key)
    return tallies(fetched(connection, query_of(*key, *FACT_COLUMNS)), len(key)) if found is None else found


def _grouped(
    connection: Connection, query_of: Callable[..., Select[Any]], key: Sequence[ColumnElement[Any]]
) -> dict[Any, Tally] | None:
    """The same; None where a sum is beyond what the database can count to."""
    sqlite = connection.dialect.name == "sqlite"
    texts = [_listed(column, sqlite=sqlite) for column in _TIMES]
    names = [column.label(f"key_{place}") for place, column in enumerate((*key, *_KIND))]
    query = query_of(*names, *_SUMS, *texts)
    query = query.group_by(*(literal_column(str(place)) for place in range(1, len(names) + 1)))
    newest = connection.scalar(select(func.max(_c.seq))) or 0
    if newest > _AT_ONCE:
        query = query.group_by(_c.seq.op("/")(literal_column(str(_AT_ONCE))))
    known: dict[Any, _Group] = {}
    try:
        for row in fetched(connection, query):
            raw, rest = row[: len(key)], row[len(key) :]
            if rest[_FIRST_SUM + 1] > _MOST_OUTPUT:
                return None
            group = known.get(raw)
            if group is None:
                group = known[raw] = _Group()
            group.add(rest)
    except (OperationalError, sqlite3.OperationalError) as error:
        if "integer overflow" not in str(error):
            raise
        return None
    return {raw: group.tally() for raw, group in known.items()}


def _listed(column: ColumnElement[Any], *, sqlite: bool) -> ColumnElement[str]:
    """All numbers of a column that are known, with commas between."""
    return func.group_concat(column) if sqlite else func.string_agg(cast(column, Text), ",")


class _Group:
    """What is counted of one key: a tally, and its times by the numbers of their buckets less one."""

    __slots__ = ("_tally", "_times")

    def __init__(self) -> None:
        self._tally = Tally()
        self._times: tuple[Counter[int], ...] = tuple(Counter() for _ in TIMES)

    def tally(self) -> Tally:
        """All that is counted."""
        self._tally.times = tuple(
            {index + 1: number for index, number in counts.items()} for counts in self._times
        )
        return self._tally

    def add(self, row: Sequence[Any]) -> None:
        """Count calls of one kind."""
        code, text = row[:_FIRST_SUM]
        place, replayed, retried = code >> 2, code & 2, code & 1
        currency, failed, error = (text or "").partition(_BETWEEN)
        number, _, *used = map(int, row[_FIRST_SUM:_FIRST_TIME])
        priced, cost, known_savings, savings = used[-4:]
        counts = self._tally.counts
        if priced:
            money = self._tally.money.setdefault(currency, [0] * len(MONEY))
            amounts = _replayed(priced, cost) if replayed else _live(priced, cost, OUTCOMES[place], retried)
            if not replayed:
                amounts |= {CACHE_KNOWN: known_savings, CACHE_SAVED: savings}
            for at, amount in amounts.items():
                money[at] += amount
        if replayed:
            counts[REPLAYED] += number
            return
        counts[place] += number
        counts[RETRIED] += number if retried else 0
        counts[UNPRICED] += number - priced
        for name, amount, known in zip(TOKENS, used[::2], used[1::2], strict=False):
            at, at_known = tokens_at(name)
            counts[at] += amount
            counts[at_known] += known
        counts[WITHOUT_USAGE] += used[2 * len(TOKENS)]
        counts[INPUT_OF_CACHED] += used[2 * len(TOKENS) + 1]
        if failed:
            self._tally.errors[error] = self._tally.errors.get(error, 0) + number
        for listed, times in zip(row[_FIRST_TIME:], self._times, strict=True):
            if listed is not None:
                count_buckets(_numbers(f"[{listed}]"), times)


def _live(priced: int, cost: int, outcome: str, retried: int) -> dict[int, int]:
    amounts = {PRICED: priced, COST: cost}
    if retried:
        amounts[RETRIED_COST] = cost
    if outcome == "cancelled":
        amounts[CANCELLED_COST] = cost
    return amounts


def _replayed(priced: int, cost: int) -> dict[int, int]:
    return {REPLAYS: priced, REPLAYS_SAVED: cost}


_numbers: Final[Callable[[str], list[int]]] = msgspec.json.Decoder(list[int]).decode
