"""When what happened in one call: the moments, and the phases between them as bars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text

from .times import show_duration

_STYLES = {"waiting": "dim", "reasoning": "magenta", "answer": "green", "body": "green"}


@dataclass(frozen=True, slots=True)
class Moments:
    """Seconds since the start; None for what never came."""

    end: float
    first_byte: float | None = None
    first_chunk: float | None = None
    first_reasoning: float | None = None
    first_token: float | None = None

    def firsts(self) -> Iterator[tuple[str, float]]:
        """What came for the first time, and when; what never came is left out."""
        for name in ("byte", "chunk", "reasoning", "token"):
            if (at := getattr(self, f"first_{name}")) is not None:
                yield name, at


def phases(moments: Moments) -> list[tuple[str, float, float]]:
    """What the time was spent on: name, start and end of each phase, in order."""
    reasoning, token, end = moments.first_reasoning, moments.first_token, moments.end
    heard = [at for at in (reasoning, token) if at is not None]
    waited = (
        min(heard)
        if heard
        else next((at for at in (moments.first_chunk, moments.first_byte) if at is not None), end)
    )
    found = [("waiting", 0.0, waited)]
    if reasoning is not None:
        found.append(("reasoning", reasoning, token if token is not None and token > reasoning else end))
    if token is not None:
        found.append(("answer", token, end))
    elif not heard and waited < end:
        found.append(("body", waited, end))
    return found


def timeline(moments: Moments, width: int) -> Iterator[Text]:
    """The phases as bars on one scale, then the moments in figures; `width` is that of the whole line."""
    room = max(10, width - 34)
    scale = room / moments.end if moments.end > 0 else 0
    for name, start, end in phases(moments):
        first = min(int(start * scale), room - 1)
        length = max(1, min(round(end * scale), room) - first)
        times = f"  {name:<11} {show_duration(start):>6} → {show_duration(end):<6}  "
        yield Text(times).append(" " * first).append("━" * length, _STYLES[name])
    known = " · ".join(f"{name} {show_duration(at)}" for name, at in moments.firsts())
    if known:
        yield Text(f"  first {known}", style="dim")
