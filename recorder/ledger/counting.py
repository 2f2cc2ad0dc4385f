"""Many calls counted at once, column by column, so that Python runs through each column in C."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from operator import floordiv, is_not, mul, sub
from typing import Any, Final

from .buckets import count_buckets
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

# How many rows wait for others alike, of how many columns are made at once, while they are in the processor's
# cache, and from how many on that pays.
_AT_ONCE: Final = 100_000
_ENOUGH: Final = 1_000
_FEW: Final = 8
_KIND: Final = 5
"""The first of `FACTS` are few different ones, by which rows are sorted: outcome, error, replayed, attempt, stream."""

_CURRENCY: Final = FACTS.index("currency")
_COST: Final = FACTS.index("cost_pico")
_NONE: Final = (None,) * len(TOKENS)
_PLACES: Final = [tokens_at(name) for name in TOKENS]


def tallies(rows: Iterable[Sequence[Any]], width: int) -> dict[Any, Tally]:
    """Count calls, each a key of `width` columns followed by its `FACTS`: a tally for each key."""
    found: dict[Any, _Counts] = {}
    alike: dict[Any, Rows] = {}
    end = width + _KIND
    for number, row in enumerate(rows, 1):
        kind = row[:end]
        known = alike.get(kind)
        if known is None:
            alike[kind] = [row]
        else:
            known.append(row)
            if len(known) == _ENOUGH:
                _count({kind: alike.pop(kind)}, width, found)
        if not number % _AT_ONCE:
            _count(alike, width, found)
            alike = {}
    _count(alike, width, found)
    return {raw: counts.tally() for raw, counts in found.items()}


class _Counts:
    """What is counted of one key: a tally, and its times by the numbers of their buckets less one."""

    __slots__ = ("_tally", "times")

    def __init__(self) -> None:
        self._tally = Tally()
        self.times: tuple[Counter[int], ...] = (Counter(), Counter(), Counter(), Counter())

    def tally(self) -> Tally:
        """All that is counted."""
        for counts, more in zip(self._tally.times, self.times, strict=True):
            if not more:
                continue
            few = dict(counts)
            counts.update({index + 1: number for index, number in more.items()})
            for index, number in few.items():
                counts[index] = number + more.get(index - 1, 0)
        return self._tally

    def add_rows(self, rows: Rows, width: int) -> None:
        """Count calls of one kind."""
        if len(rows) < _FEW:
            for row in rows:
                self._tally.add(counted(row, width))
            return
        kind = rows[0][width : width + _KIND]
        for currency, columns in _by_currency(rows, width):
            _add(self._tally, self.times, kind, currency, columns[width + _KIND :])


def _by_currency(rows: Rows, width: int) -> Iterator[tuple[str | None, list[Any]]]:
    """The columns of rows, apart for each currency; what has no cost may go with any."""
    columns = list(zip(*rows, strict=True))
    currencies, pico = columns[width + _CURRENCY], columns[width + _COST]
    named = set(currencies)
    if len(named) == 2 and None in named and _are_known(currencies) == _are_known(pico):
        named.remove(None)
    if len(named) == 1:
        yield named.pop(), columns
        return
    for currency in named:
        some = [row for row in rows if row[width + _CURRENCY] == currency]
        yield currency, list(zip(*some, strict=True))


def _are_known(column: Sequence[Any]) -> list[bool]:
    return list(map(is_not, column, repeat(None)))


def _count(alike: dict[Any, Rows], width: int, found: dict[Any, _Counts]) -> None:
    for kind, rows in alike.items():
        raw = kind[:width]
        known = found.get(raw)
        if known is None:
            known = found[raw] = _Counts()
        known.add_rows(rows, width)


def _add(
    tally: Tally,
    times: tuple[Counter[int], ...],
    kind: Sequence[Any],
    currency: str | None,
    columns: list[Any],
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
    counts[WITHOUT_USAGE] += _unknown(used)
    counts[INPUT_OF_CACHED] += _input_of_cached(used[0], used[1])
    speeds = _speeds(used[3], duration, stream, thought, token)
    for counts_of, column in zip(times, (duration, chunk, token, speeds), strict=True):
        count_buckets(_known(column), counts_of)


def _unknown(used: Sequence[Sequence[int | None]]) -> int:
    """How many calls have no tokens of any kind."""
    if any(None not in column for column in used):
        return 0
    return list(zip(*used, strict=True)).count(_NONE)


def _input_of_cached(put: Sequence[int | None], read: Sequence[int | None]) -> int:
    """The input of calls whose cached tokens are known."""
    if None not in read:
        return sum(_known(put))
    return sum([all for all, some in zip(put, read, strict=True) if all is not None and some is not None])


def _speeds(
    output: Sequence[Any],
    duration: Sequence[int],
    stream: int,
    thought: Sequence[int | None],
    token: Sequence[Any],
) -> Sequence[int | None]:
    """What `speed_of` says of each call."""
    if output.count(None) == len(output):
        return ()
    plain = not stream or (thought.count(None) == len(thought) and None not in token)
    if not plain or None in output or min(output) < 2:
        return list(map(speed_of, output, duration, repeat(stream), thought, token))
    spent = list(map(sub, duration, token)) if stream else duration
    if min(spent) < 1:
        return list(map(speed_of, output, duration, repeat(stream), thought, token))
    number = map(sub, output, repeat(1)) if stream else output
    return list(map(floordiv, map(mul, number, repeat(1_000_000_000)), spent))


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
