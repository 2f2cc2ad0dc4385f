"""Alpha-renaming: values that may differ from run to run, as long as equal ones stay equal.

Ids (UUIDs, and ids with the prefixes that providers use) become numbers in the order of first
appearance. Times (ISO 8601, epoch seconds and milliseconds) become one word each: a clock that is
read twice may have moved in between or not, so which of them are equal says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import Any, Generic, TypeVar

Live = TypeVar("Live", bound=Hashable)
Kept = TypeVar("Kept", bound=Hashable)

_PREFIX = (
    "(?:call|toolu|srvtoolu|msg|chatcmpl|cmpl|resp|rs|fc|ctc|ws|run|step|thread|asst|vs|file|batch|msgbatch|req|gen|"
    "session|conv|trace|evt|container|cntr|embd|ftjob|upload)[-_]"
)
_UUID = r"(?i:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"
# Within a longer text an id must be long enough to be no word of it, as "step-2" is.
_WITHIN = re.compile(
    rf"(?<![A-Za-z0-9])(?:(?P<time>{_TIME})|{_UUID}"
    rf"|(?<![-_]){_PREFIX}(?=\w*\d\w{{7}}|\w{{7,}}\d|\w{{16}})[A-Za-z0-9_]*[A-Za-z0-9])(?![A-Za-z0-9])"
)
_WHOLE = re.compile(
    rf"{_UUID}|(?i:[0-9a-f]{{32}})|{_PREFIX}(?=[A-Za-z_-]*[0-9]|[A-Za-z0-9_-]{{16}})[A-Za-z0-9_-]+", re.ASCII
)
_EPOCH_S = range(1_000_000_000, 4_102_444_800)  # 2001 to 2100

ID, TIME = "\x00id ", "\x00time"


class Ids:
    """The ids of one request, in the order of first appearance; takes them out of what it is shown."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    @property
    def seen(self) -> tuple[str, ...]:
        return tuple(self._numbers)

    def text(self, text: str) -> str:
        """The text with each id as its number."""
        return self._id(text) if _WHOLE.fullmatch(text) else _WITHIN.sub(self._rename, text)

    def value(self, value: Any) -> Any:
        """JSON with each id as its number; members are gone through in order of name, those named by ids last."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            named = sorted(name for name in value if not _WHOLE.fullmatch(name))
            by_id = [name for name in value if _WHOLE.fullmatch(name)]
            return {name: self.value(value[name]) for name in named} | {
                self._id(name): self.value(value[name]) for name in by_id
            }
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return TIME if _is_epoch(value) else value

    def _rename(self, found: re.Match[str]) -> str:
        return TIME if found.lastgroup == "time" else self._id(found[0])

    def _id(self, text: str) -> str:
        return f"{ID}{self._numbers.setdefault(text, len(self._numbers) + 1)}"


class Bijection(Generic[Live, Kept]):
    """Which live value stands for which recorded one, each for one alone."""

    def __init__(self) -> None:
        self.kept: dict[Live, Kept] = {}
        self.live: dict[Kept, Live] = {}

    def allows(self, live: Sequence[Live], kept: Sequence[Kept]) -> bool:
        """Whether these can stand for one another, pair by pair, beside all pairs so far."""
        return len(live) == len(kept) and all(
            self.kept.get(mine, theirs) == theirs and self.live.get(theirs, mine) == mine
            for mine, theirs in zip(live, kept, strict=True)
        )

    def bind(self, live: Sequence[Live], kept: Sequence[Kept]) -> None:
        """From now on these stand for one another."""
        self.kept.update(zip(live, kept, strict=True))
        self.live.update(zip(kept, live, strict=True))


def _is_epoch(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return int(value) in _EPOCH_S or int(value) // 1000 in _EPOCH_S if abs(value) < 1e15 else False
