"""What a report says of a group of calls, in numbers that can be added and taken away: counts, tokens, money, times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import add as plus
from operator import sub as minus
from typing import Any, Final

from .buckets import bucket
from .histogram_sum import Sum
from .tables import calls

OUTCOMES: Final = ("ok", "error", "cancelled", "incomplete", "interrupted")
TOKENS: Final = ("input", "cached", "cache_write", "output", "reasoning")
TIMES: Final = ("duration", "first_chunk", "first_token", "speed")
"""What has a histogram: three times in microseconds, and thousandths of output tokens a second."""

FACTS: Final = (
    *("outcome", "error_type", "replayed", "attempt", "stream"),
    *("duration_us", "first_chunk_us", "first_reasoning_us", "first_token_us"),
    *("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"),
    *("cost_pico", "currency", "cache_saved_pico"),
)
"""The columns of a call that its figures are made of, in the order in which `counted` takes them."""

FACT_COLUMNS: Final = tuple(calls.c[name] for name in FACTS)

_PLACES = {name: place for place, name in enumerate(OUTCOMES)}
REPLAYED, RETRIED, UNPRICED, WITHOUT_USAGE, INPUT_OF_CACHED = range(len(OUTCOMES), len(OUTCOMES) + 5)
"""Places in `counts`, after those of the outcomes; the last is the input of calls whose cached tokens are known."""
_FIRST_TOKENS = len(OUTCOMES) + 5
COUNTS: Final = _FIRST_TOKENS + 2 * len(TOKENS)

MONEY: Final = (
    "cost",
    "retried",
    "cancelled",
    "cache_saved",
    "replays_saved",
    "priced",
    "cache_known",
    "replays",
)
"""Sums in pico-units by currency; the last three are numbers of calls that they are sums of."""
COST, RETRIED_COST, CANCELLED_COST, CACHE_SAVED, REPLAYS_SAVED, PRICED, CACHE_KNOWN, REPLAYS = range(
    len(MONEY)
)


def tokens_at(name: str) -> tuple[int, int]:
    """The places in `counts` of the sum of a kind of tokens, and of how many calls are known to have some."""
    place = _FIRST_TOKENS + 2 * TOKENS.index(name)
    return place, place + 1


class Tally:
    """Figures while calls are counted."""

    __slots__ = ("counts", "errors", "money", "times")

    def __init__(self) -> None:
        self.counts = [0] * COUNTS
        self.errors: dict[str, int] = {}
        self.money: dict[str, list[int]] = {}
        self.times: tuple[dict[int, int], ...] = ({}, {}, {}, {})

    @property
    def calls(self) -> int:
        """How many calls are counted, with those that were replayed."""
        return sum(self.counts[: REPLAYED + 1])

    def add(self, call: Counted) -> None:
        """Count a call. A replayed one is in nothing but what it saved."""
        places, error, pico, currency, amounts, used, buckets = call
        counts = self.counts
        for place in places:
            counts[place] += 1
        if pico is not None:
            known = self.money.get(currency)
            if known is None:
                known = self.money[currency] = [0] * len(MONEY)
            for place, amount in amounts:
                known[place] += amount
        for place, number in used:
            counts[place] += number
        if error is not None:
            self.errors[error] = self.errors.get(error, 0) + 1
        for of, index in buckets:
            times = self.times[of]
            times[index] = times.get(index, 0) + 1

    def join(self, other: Tally) -> None:
        """Add all that another tally has counted."""
        self.counts = list(map(plus, self.counts, other.counts))
        for error, number in other.errors.items():
            self.errors[error] = self.errors.get(error, 0) + number
        add_money(self.money, other.money, 1)
        for buckets, more in zip(self.times, other.times, strict=True):
            for index, number in more.items():
                buckets[index] = buckets.get(index, 0) + number


Counted = tuple[
    list[int],
    str | None,
    int | None,
    str,
    list[tuple[int, int]],
    list[tuple[int, int]],
    list[tuple[int, int]],
]
"""What a call adds to tallies: the places in `counts` that grow by one, its error, its cost and currency, the places in
the sums of money and by how much they grow, likewise those of tokens, and the buckets of its times."""


def counted(facts: Sequence[Any], start: int = 0) -> Counted:
    """What a call adds, whose `FACTS` begin at `start`; found once for all groups that it is counted in."""
    outcome, error, replayed, attempt, stream, duration, chunk, thought, token = facts[start : start + 9]
    used = facts[start + 9 : start + 14]
    pico, currency, saved = facts[start + 14 : start + 17]
    if replayed:
        return [REPLAYED], None, pico, currency or "", [(REPLAYS, 1), (REPLAYS_SAVED, pico)], [], []
    places = [_PLACES.get(outcome, 1)]
    amounts = [(PRICED, 1), (COST, pico)]
    if attempt > 1:
        places.append(RETRIED)
        amounts.append((RETRIED_COST, pico))
    if pico is None:
        places.append(UNPRICED)
    elif outcome == "cancelled":
        amounts.append((CANCELLED_COST, pico))
    if saved is not None:
        amounts += ((CACHE_SAVED, saved), (CACHE_KNOWN, 1))
    tokens = []
    place = _FIRST_TOKENS
    for number in used:
        if number is not None:
            tokens.append((place, number))
            places.append(place + 1)
        place += 2
    if not tokens:
        places.append(WITHOUT_USAGE)
    elif used[1] is not None and used[0] is not None:
        tokens.append((INPUT_OF_CACHED, used[0]))
    buckets = [(0, bucket(duration))]
    if chunk is not None:
        buckets.append((1, bucket(chunk)))
    if token is not None:
        buckets.append((2, bucket(token)))
    speed = speed_of(used[3], duration, stream, thought, token)
    if speed is not None:
        buckets.append((3, bucket(speed)))
    return places, error, pico, currency or "", amounts, tokens, buckets


def speed_of(
    output: int | None, duration_us: int, stream: int, reasoning_us: int | None, token_us: int | None
) -> int | None:
    """Thousandths of output tokens a second: of a streamed answer from its first token on, else of the whole call."""
    if not output:
        return None
    begun = None
    if stream:
        begun = token_us if reasoning_us is None else reasoning_us
        if begun is None:
            return None
        if token_us is not None and token_us < begun:
            begun = token_us
        # The first token is there when the clock starts.
        output -= 1
    spent = duration_us - (begun or 0)
    return output * 1_000_000_000 // spent if output and spent > 0 else None


class Figures:
    """Figures of many groups, added up from tallies and from what is stored."""

    __slots__ = ("counts", "errors", "money", "times")

    def __init__(self) -> None:
        self.counts: list[int] = [0] * COUNTS
        self.errors: Counter[str] = Counter()
        self.money: dict[str, list[int]] = {}
        self.times = tuple(Sum() for _ in TIMES)

    @property
    def calls(self) -> int:
        """How many calls there are, the replayed ones not among them."""
        return sum(self.counts[: len(OUTCOMES)])

    @property
    def empty(self) -> bool:
        """Whether there is no call at all."""
        return not self.calls and not self.counts[REPLAYED]

    def add_stored(self, stored: Stored, sign: int = 1) -> None:
        """Add what was stored of a group, or take it away."""
        counts, errors, money, *times = stored
        self._add(counts, errors, money, sign)
        for whole, part in zip(self.times, times, strict=True):
            whole.add(part, sign)

    def add_many(self, stored: Sequence[Stored]) -> None:
        """Add much that was stored of a group, column by column."""
        if len(stored) < 2:
            for each in stored:
                self.add_stored(each)
            return
        columns: Any = zip(*stored, strict=True)
        counts, errors, money, *times = columns
        self.counts = list(map(sum, zip(self.counts, *counts, strict=True)))
        for known in filter(None, errors):
            for error, number in known.items():
                self.errors[error] += number
        currencies: dict[str, list[list[int]]] = {}
        for sums in money:
            for currency, amounts in sums.items():
                currencies.setdefault(currency, []).append(amounts)
        for currency, some in currencies.items():
            add_money(self.money, {currency: list(map(sum, zip(*some, strict=True)))}, 1)
        for whole, parts in zip(self.times, times, strict=True):
            whole.add_all(parts)

    def add_tally(self, tally: Tally, sign: int = 1) -> None:
        """Add a tally, or take it away."""
        self._add(tally.counts, tally.errors, tally.money, sign)
        for whole, part in zip(self.times, tally.times, strict=True):
            whole.add_counts(part, sign)

    def add(self, other: Figures, sign: int = 1) -> None:
        """Add all that other figures have, or take it away."""
        self._add(other.counts, other.errors, other.money, sign)
        for whole, part in zip(self.times, other.times, strict=True):
            whole.add_sum(part, sign)

    def _add(
        self, counts: Iterable[int], errors: dict[str, int], money: dict[str, list[int]], sign: int
    ) -> None:
        self.counts = list(map(plus if sign > 0 else minus, self.counts, counts))
        for error, number in errors.items():
            self.errors[error] += sign * number
        add_money(self.money, money, sign)


Stored = tuple[list[int], dict[str, int], dict[str, list[int]], bytes, bytes, bytes, bytes]
"""The figures of a group as they are kept."""


def add_money(sums: dict[str, list[int]], more: dict[str, list[int]], sign: int) -> None:
    """Add sums by currency to others, or take them away."""
    for currency, amounts in more.items():
        known = sums.get(currency) or [0] * len(MONEY)
        sums[currency] = list(map(plus if sign > 0 else minus, known, amounts))
