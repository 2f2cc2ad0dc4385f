"""Arithmetic of money: tokens times rates, in whole pico-units, exactly."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Final

from msgspec import Struct

from ..call import Usage
from .price import Price

PICO: Final = 10**12
LARGEST_PICO: Final = 2**63 - 1
_MILLION: Final = 10**6


class Line(Struct, frozen=True, gc=False):
    """One part of a cost: how many tokens (or requests) of what kind, at what rate, come to what amount."""

    kind: str
    count: int
    rate: Decimal
    pico: int


class Charge(Struct, frozen=True, gc=False):
    """What a row makes of a usage; `problem` says why it makes nothing of it."""

    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str | None = None


def charge(price: Price, usage: Usage | None, *, beside: bool, succeeded: bool = True) -> Charge:
    """The lines of a cost. `beside` says that reasoning tokens are not among the output tokens.

    What is not known is not charged as nothing: then there is no cost, and `problem` says why.
    """
    if price.request is not None and price.input is None and price.output is None:
        line = _line("request", 1, price.request, PICO)
        return Charge((line,)) if succeeded else Charge(problem="the request failed")
    if usage is None or (usage.input is None and usage.output is None):
        return Charge(problem="the answer has no usage")
    counts, notes = _counts(price, usage, beside=beside)
    if isinstance(counts, str):
        return Charge(problem=counts)
    lines = []
    for kind, count, rate in counts:
        if count and rate is None:
            return Charge(problem=f"row {price.id} has no rate for {kind}")
        if rate is not None and count is not None:
            lines.append(_line(kind, count, rate, _MILLION))
    if price.request is not None:
        lines.append(_line("request", 1, price.request, PICO))
    return Charge(tuple(lines), notes)


def cache_saving(price: Price, usage: Usage | None) -> int | None:
    """What tokens read from a cache would have cost more as plain input, less what writing them did cost more.

    None where the usage or the row does not tell.
    """
    if usage is None or usage.cached is None or price.input is None:
        return None
    read = 0 if price.cached is None else to_pico(usage.cached, price.input - price.cached, _MILLION)
    more = None if price.cache_write is None else price.cache_write - price.input
    written = to_pico(usage.cache_write or 0, more, _MILLION) if more is not None else 0
    saved = read - written
    return saved if -LARGEST_PICO <= saved <= LARGEST_PICO else None


def reasons_beside(provider: str, usage: Usage | None, total_tokens: int | None) -> bool:
    """Whether reasoning tokens are counted beside the output tokens, as xAI does, and not among them."""
    if usage is None or not usage.reasoning or usage.output is None:
        return False
    if usage.reasoning > usage.output:
        return True
    if total_tokens is not None and usage.input is not None:
        return total_tokens == usage.input + usage.output + usage.reasoning
    return provider == "x_ai"


def to_pico(count: int, rate: Decimal, scale: int) -> int:
    """`count * rate * scale` as a whole number, half to even; no rounding comes before that."""
    numerator, denominator = _ratio(rate)
    whole, rest = divmod(count * numerator * scale, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


_Count = tuple[str, int | None, Decimal | None]


def _counts(price: Price, usage: Usage, *, beside: bool) -> tuple[list[_Count] | str, tuple[str, ...]]:
    """How many tokens are charged at which rate, or why that cannot be said; and what was assumed."""
    read, written, thought = usage.cached or 0, usage.cache_write or 0, usage.reasoning or 0
    notes = []
    for name, count, rate in (("input", usage.input, price.input), ("output", usage.output, price.output)):
        if count is None and rate:
            return f"the usage has no {name} tokens", ()
    if usage.input is not None and read + written > usage.input:
        return f"the usage contradicts itself: {read + written:,} tokens cached of {usage.input:,} put in", ()
    if usage.cached is None and price.cached is not None and usage.input:
        notes.append("cached tokens were not reported, and count as none")
    if beside:
        notes.append(f"{thought:,} reasoning tokens are charged beside the output tokens")
    apart_in = (read if price.cached is not None else 0) + (written if price.cache_write is not None else 0)
    apart_out = thought if price.reasoning is not None else 0
    whole_out = None if usage.output is None else usage.output + (thought if beside else 0)
    counts: list[_Count] = [
        ("input", None if usage.input is None else usage.input - apart_in, price.input),
        ("output", None if whole_out is None else whole_out - apart_out, price.output),
    ]
    if price.cached is not None:
        counts.insert(1, ("cached", read, price.cached))
    if price.cache_write is not None:
        counts.insert(-1, ("cache write", written, price.cache_write))
    if price.reasoning is not None:
        counts.append(("reasoning", thought, price.reasoning))
    return counts, tuple(notes)


def _line(kind: str, count: int, rate: Decimal, scale: int) -> Line:
    return Line(kind, count, rate, to_pico(count, rate, scale))


@lru_cache(maxsize=4096)
def _ratio(rate: Decimal) -> tuple[int, int]:
    return rate.as_integer_ratio()
