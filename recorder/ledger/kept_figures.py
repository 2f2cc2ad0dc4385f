"""Figures as the rollups keep them: as bytes, which are equal where the figures are."""

from __future__ import annotations

from collections.abc import Callable
from operator import add as plus
from operator import sub as minus
from typing import Any, Final

import msgspec

from .figures import COUNTS, OUTCOMES, REPLAYED, Stored, Tally, add_money
from .histogram import Inconsistent, added, decode, encode


def joined(known: Stored, tally: Tally, sign: int = 1) -> Stored:
    """Kept figures with a tally added or taken away; equal figures are equal. Raises Inconsistent."""
    if known is NOTHING and sign > 0:
        return _stored(tally)
    counts, errors, money, *times = known
    counts = list(map(plus if sign > 0 else minus, counts, tally.counts))
    if sign < 0 and min(counts[: REPLAYED + 1]) < 0:
        raise Inconsistent
    errors = {**errors}
    for error, number in tally.errors.items():
        errors[error] = errors.get(error, 0) + sign * number
    money = {currency: [*sums] for currency, sums in money.items()}
    add_money(money, tally.money, sign)
    first, second, third, fourth = (
        added(whole, part, sign) for whole, part in zip(times, tally.times, strict=True)
    )
    return (
        counts,
        {error: errors[error] for error in sorted(errors) if errors[error]},
        {currency: money[currency] for currency in sorted(money) if any(money[currency])},
        *(first, second, third, fourth),
    )


def _stored(tally: Tally) -> Stored:
    first, second, third, fourth = map(encode, tally.times)
    errors, money = tally.errors, tally.money
    return (
        tally.counts,
        errors if len(errors) < 2 else {error: errors[error] for error in sorted(errors)},
        {currency: money[currency] for currency in sorted(money) if any(money[currency])} if money else money,
        *(first, second, third, fourth),
    )


def tally_of(figures: Stored) -> Tally:
    """Kept figures as a tally, to be added to others."""
    tally = Tally()
    tally.counts, tally.errors, tally.money, *times = figures
    tally.times = tuple(map(decode, times))
    return tally


def numbers_of_calls(figures: Stored) -> tuple[int, int]:
    """How many calls kept figures are of, and how many replayed ones."""
    return sum(figures[0][: len(OUTCOMES)]), figures[0][REPLAYED]


def pack_figures(figures: Stored) -> bytes:
    """Kept figures as bytes."""
    try:
        return _pack(figures)
    except OverflowError:
        counts, errors, money, *times = figures
        large = {currency: list(map(_portable, sums)) for currency, sums in money.items()}
        return _pack((list(map(_portable, counts)), errors, large, *times))


def unpack_figures(data: bytes) -> Stored:
    """The figures in bytes."""
    try:
        return _unpack(data)
    except msgspec.ValidationError:
        counts, errors, money, *times = _unpack_large(data)
        exact = {currency: list(map(int, sums)) for currency, sums in money.items()}
        return (list(map(int, counts)), errors, exact, *times)


def _portable(number: int) -> int | str:
    """Sums beyond 64 bits, nine million dollars in pico-units, are kept as text."""
    return number if -(2**63) <= number < 2**63 else str(number)


_Large = tuple[list[int | str], dict[str, int], dict[str, list[int | str]], bytes, bytes, bytes, bytes]
NOTHING: Final[Stored] = ([0] * COUNTS, {}, {}, b"", b"", b"", b"")
_pack: Callable[[object], bytes] = msgspec.msgpack.Encoder().encode
_unpack: Callable[[bytes], Stored] = msgspec.msgpack.Decoder(Stored).decode
_unpack_large: Any = msgspec.msgpack.Decoder(_Large).decode
