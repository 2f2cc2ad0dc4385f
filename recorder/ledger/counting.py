"""Many calls counted at once, column by column, so that Python runs through each column in C."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, Final

from .buckets import buckets
from .figures import (
    CACHE_KNOWN,
    CACHE_SAVED,
    CANCELLED_COST,
    COST,
    FACTS,
    INPUT_OF_CACHED,
    MONEY,
    OUTCOMES,
    PRICED,
    REPLAYED,
    REPLAYS,
    REPLAYS_SAVED,
    RETRIED,
    RETRIED_COST,
    TOKENS,
    UNPRICED,
    WITHOUT_USAGE,
    Tally,
    counted,
    speed_of,
    tokens_at,
)

Rows = list[Sequence[Any]]

# Of how many rows columns are made at a time, and from how many alike on that pays.
_AT_ONCE: Final = 100_000
_FEW: Final = 8
_KIND: Final = 5
"""The first of `FACTS` are few different ones, by which rows are sorted: outcome, error, replayed, attempt, stream."""

_CURRENCY: Final = FACTS.index("currency")
_NONE: Final = (None,) * len(TOKENS)
_PLACES: Final = [tokens_at(name) for name in TOKENS]


def tallies(rows: Iterable[Sequence[Any]], width: int) -> dict[Any, Tally]:
    """Count calls, each a key of `width` columns followed by its `FACTS`: a tally for each key."""
    found: dict[Any, Tally] = {}
    alike: dict[Any, Rows] = {}
    end = width + _KIND
    for number, row in enumerate(rows, 1):
        kind = row[:end]
        known = alike.get(kind)
        if known is None:
            alike[kind] = [row]
        else:
            known.append(row)
        if not number % _AT_ONCE:
            _count(alike, width, found)
            alike = {}
    _count(alike, width, found)
    return found


def _count(alike: dict[Any, Rows], width: int, found: dict[Any, Tally]) -> None:
    spent: dict[Any, tuple[list[int], ...]] = {}
    for kind, rows in alike.items():
        raw = kind[:width]
        known = found.get(raw)
        if known is None:
            known = found[raw] = Tally()
        if len(rows) < _FEW:
            for row in rows:
                known.add(counted(row, width))
            continue
        times = spent.get(raw)
        if times is None:
            times = spent[raw] = ([], [], [], [])
        columns = list(zip(*rows, strict=True))
        currencies = columns[width + _CURRENCY]
        for currency in set(currencies):
            if currencies.count(currency) < len(rows):
                some = [row for row in rows if row[width + _CURRENCY] == currency]
                columns = list(zip(*some, strict=True))
            _add(known, times, kind[width:], currency, columns[width + _KIND :])
    for raw, times in spent.items():
        for counts, values in zip(found[raw].times, times, strict=True):
            for index, number in Counter(buckets(values)).items():
                counts[index] = counts.get(index, 0) + number


def _add(
    tally: Tally, times: tuple[list[int], ...], kind: Sequence[Any], currency: str | None, columns: list[Any]
) -> None:
    """Count calls of one kind and currency, given by the columns that follow those of the kind; but for their times."""
    outcome, error, replayed, attempt, stream = kind
    duration, chunk, thought, token, *used, pico, _, saved = columns
    number, counts = len(duration), tally.counts
    priced = _known(pico)
    if priced:
        _add_money(tally, kind, currency or "", priced, saved if priced is pico else _of_priced(saved, pico))
    if replayed:
        counts[REPLAYED] += number
        return
    counts[OUTCOMES.index(outcome) if outcome in OUTCOMES else 1] += number
    counts[UNPRICED] += number - len(priced)
    if attempt > 1:
        counts[RETRIED] += number
    if error is not None:
        tally.errors[error] = tally.errors.get(error, 0) + number
    for (place, known), column in zip(_PLACES, used, strict=True):
        values = _known(column)
        counts[place] += sum(values)
        counts[known] += len(values)
    counts[WITHOUT_USAGE] += list(zip(*used, strict=True)).count(_NONE)
    counts[INPUT_OF_CACHED] += sum(
        [put for put, read in zip(used[0], used[1], strict=True) if put is not None and read is not None]
    )
    speeds = list(map(speed_of, used[3], duration, repeat(stream), thought, token))
    for values, column in zip(times, (duration, chunk, token, speeds), strict=True):
        values += _known(column)


def _add_money(
    tally: Tally, kind: Sequence[Any], currency: str, priced: Sequence[int], saved: Sequence[int | None]
) -> None:
    outcome, _, replayed, attempt, _ = kind
    known = tally.money.setdefault(currency, [0] * len(MONEY))
    cost = sum(priced)
    if replayed:
        known[REPLAYS] += len(priced)
        known[REPLAYS_SAVED] += cost
        return
    known[PRICED] += len(priced)
    known[COST] += cost
    if attempt > 1:
        known[RETRIED_COST] += cost
    if outcome == "cancelled":
        known[CANCELLED_COST] += cost
    savings = _known(saved)
    known[CACHE_KNOWN] += len(savings)
    known[CACHE_SAVED] += sum(savings)


def _known(column: Sequence[Any]) -> Sequence[Any]:
    return column if None not in column else [value for value in column if value is not None]


def _of_priced(saved: Sequence[int | None], pico: Sequence[int | None]) -> Sequence[int | None]:
    return [saving for saving, cost in zip(saved, pico, strict=True) if cost is not None]
