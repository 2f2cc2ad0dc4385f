"""When what happened in one call: the moments, and the phases between them as bars."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from ..audit.moments import Moments, phases
from .times import show_duration

_STYLES = {"waiting": "dim", "reasoning": "magenta", "answer": "green", "body": "green"}


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
