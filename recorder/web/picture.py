"""A stream as a picture: chunks on a line of time, bytes as they add up, and what came first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from ..amounts import show_instant
from ..audit.moments import Moments, phases
from ..audit.stream import Piece, stalls

WIDTH: Final = 1000
_LEFT: Final = 8
_RIGHT: Final = 992
_TOP: Final = 64
_BOTTOM: Final = 150
_MOST_TICKS: Final = 800
_STEPS: Final = (1, 2, 5)
_MINUTES: Final = 120
_CLOCK: Final = (30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400)
_UNITS: Final = ((0.1, 1, "s"), (1e-3, 10**3, " ms"), (1e-6, 10**6, " µs"), (0.0, 10**9, " ns"))
"""How long a picture is at least, how many of a unit are a second, and how the unit is written."""


class Bar(Struct, frozen=True):
    """A span of time in the picture."""

    kind: str
    x: float
    width: float
    text: str


class Sign(Struct, frozen=True):
    """A moment in the picture, with words on one of some lines."""

    x: float
    text: str
    row: int
    anchor: str


class Picture(Struct, frozen=True):
    """All that is drawn: phases, ticks (one a chunk, or a bin of many), waits, firsts and the scale."""

    phases: tuple[Bar, ...]
    ticks: tuple[Bar, ...]
    stalls: tuple[Bar, ...]
    firsts: tuple[Sign, ...]
    scale: tuple[Sign, ...]
    curve: str
    summary: str


def picture(pieces: Sequence[Piece], moments: Moments) -> Picture:
    """The picture of an answer; of one that came whole it has one tick."""
    end = max([moments.end, *(piece.at_s for piece in pieces[-1:])])
    place = _scale(end)
    waits = stalls(pieces)
    return Picture(
        tuple(_bar(name, start, stop, place) for name, start, stop in phases(moments)),
        tuple(_ticks(pieces, place)),
        tuple(_bar("stall", wait.from_s, wait.to_s, place) for wait in waits),
        tuple(_firsts(moments, place)),
        tuple(_scale_signs(end, place)),
        _curve(pieces, place),
        _summary(pieces, moments, len(waits)),
    )


def _scale(end: float) -> float:
    return (_RIGHT - _LEFT) / end if end > 0 else 0.0


def _x(at_s: float, place: float) -> float:
    return round(min(max(_LEFT + at_s * place, _LEFT), _RIGHT), 1)


def _bar(kind: str, start: float, end: float, place: float) -> Bar:
    x = _x(start, place)
    text = f"{kind} {show_instant(start)} to {show_instant(end)}, {show_instant(end - start)}"
    return Bar(kind, x, round(max(_x(end, place) - x, 1.5), 1), text)


def _ticks(pieces: Sequence[Piece], place: float) -> list[Bar]:
    """One a chunk; where there are more than can be seen, one for all within the same place."""
    if len(pieces) <= _MOST_TICKS:
        return [
            Bar(
                piece.kind,
                _x(piece.at_s, place),
                1.5,
                f"{index}: {show_instant(piece.at_s)}, {piece.bytes:,} bytes",
            )
            for index, piece in enumerate(pieces)
        ]
    bins: dict[tuple[int, str], int] = {}
    for piece in pieces:
        where = (round(_x(piece.at_s, place)), piece.kind)
        bins[where] = bins.get(where, 0) + 1
    return [Bar(kind, float(x), 1.5, f"{count} chunks") for (x, kind), count in bins.items()]


def _firsts(moments: Moments, place: float) -> list[Sign]:
    titles = {"byte": "first byte", "reasoning": "first reasoning", "token": "first answer"}
    found = [(at, f"{titles[name]} {show_instant(at)}") for name, at in moments.firsts() if name in titles]
    # Of what came at once, the first byte is named first.
    in_order = sorted(found, key=lambda each: each[0])
    return [_sign(_x(at, place), text, row) for row, (at, text) in enumerate(in_order)]


def _sign(x: float, text: str, row: int) -> Sign:
    return Sign(x, text, row, "end" if x > WIDTH * 0.75 else "start")


def _scale_signs(end: float, place: float) -> list[Sign]:
    if end <= 0:
        return []
    step = next((size for size in _sizes(end) if end / size <= 8), end)
    places = [index * step for index in range(int(end / step + 1e-9) + 1)]
    return [
        Sign(_x(at, place), _mark(at, end), 0, "start" if not at else "end" if at * place > 960 else "middle")
        for at in places
    ]


def _sizes(end: float) -> Iterator[float]:
    """How long the steps of a scale may be: of some minutes those that a clock has."""
    if end > _MINUTES:
        yield from _CLOCK
    yield from (step * 10.0**power for power in range(-9, 12) for step in _STEPS)


def _mark(at_s: float, end: float) -> str:
    """A moment of the scale, in the unit that fits its length."""
    if end > _MINUTES and at_s:
        return show_instant(at_s)
    count, unit = next((count, unit) for least, count, unit in _UNITS if end >= least)
    return f"{round(at_s * count, 9):g}{unit}"


def _curve(pieces: Sequence[Piece], place: float) -> str:
    """The points of the line that says how many bytes there were by when."""
    total = sum(piece.bytes for piece in pieces)
    if not total:
        return ""
    points, sum_ = [f"{_LEFT},{_BOTTOM}"], 0
    every = max(1, len(pieces) // 400)
    for index, piece in enumerate(pieces):
        before = sum_
        sum_ += piece.bytes
        if index % every == 0 or index == len(pieces) - 1:
            x = _x(piece.at_s, place)
            points += [f"{x},{_y(before, total)}", f"{x},{_y(sum_, total)}"]
    return " ".join(points)


def _y(count: int, total: int) -> float:
    return round(_BOTTOM - (_BOTTOM - _TOP) * count / total, 1)


def _summary(pieces: Sequence[Piece], moments: Moments, waits: int) -> str:
    bytes_ = sum(piece.bytes for piece in pieces)
    chunks = "1 chunk" if len(pieces) == 1 else f"{len(pieces):,} chunks"
    stood = "" if not waits else ", stood still once" if waits == 1 else f", stood still {waits} times"
    return f"{chunks}, {bytes_:,} bytes in {show_instant(moments.end)}{stood}"
