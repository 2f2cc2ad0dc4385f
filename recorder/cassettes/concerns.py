"""What is said about recordings that are too old, or that nobody asked for."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence

from ..errors import CassetteError, RecorderWarning
from .options import Concern
from .source import Recorded

_SHOWN = 5


def check_age(
    name: str,
    recordings: Sequence[Recorded],
    max_age_s: float | None,
    concern: Concern,
    now_s: float | None = None,
) -> None:
    """Warn of recordings that are older, or raise CassetteError."""
    if max_age_s is None or concern == "ignore":
        return
    oldest_us = ((time.time() if now_s is None else now_s) - max_age_s) * 1e6
    numbers = [place for place, each in enumerate(recordings, 1) if each.started_us < oldest_us]
    if numbers:
        _raise(
            concern,
            f"cassette {name!r}: {_some(numbers)} older than {_age(max_age_s)}; "
            "record anew with mode='rewrite'",
        )


def check_unused(
    name: str, recordings: Sequence[Recorded], unused: Sequence[Recorded], concern: Concern
) -> None:
    """Warn of recordings that nobody asked for, or raise CassetteError."""
    if not unused or concern == "ignore":
        return
    ids = {id(each) for each in unused}
    places = [(place, each) for place, each in enumerate(recordings, 1) if id(each) in ids]
    first = places[0][1].request
    _raise(
        concern,
        f"cassette {name!r}: {_some([place for place, _ in places])} unused, first {first.method} {first.url}; "
        "drop what is not used with prune=True",
    )


def _age(seconds: float) -> str:
    return f"{seconds / 86400:g} days" if seconds >= 86400 else f"{seconds:g} seconds"


def _some(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:_SHOWN])) + ", …" * (len(numbers) > _SHOWN)
    return f"recording {shown} is" if len(numbers) == 1 else f"recordings {shown} are"


def _raise(concern: Concern, text: str) -> None:
    if concern == "fail":
        raise CassetteError(text)
    warnings.warn(text, RecorderWarning, stacklevel=4)
