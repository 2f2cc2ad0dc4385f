"""When what happened in one call: the moments, and the phases between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


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
