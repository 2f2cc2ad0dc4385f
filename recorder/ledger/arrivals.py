"""Calls in the order in which they come into a store, each once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .gaps import Gaps

if TYPE_CHECKING:
    from .store import Store

_LOOK_BACK = 1_000


class Arrivals:
    """The calls that come in after the one numbered `seq`; made by `Store.follow`.

    With `late` also those of lower numbers that nobody could see yet, because their transaction had not ended.
    """

    def __init__(
        self, store: Store, seq: int, *, late: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._late = late
        self._clock = clock
        self._gaps = Gaps(max(0, seq - _LOOK_BACK) if late else seq)
        if late and seq:
            self._gaps.see(store.seqs(self._gaps.highest, seq), clock())

    def next(self) -> list[dict[str, Any]]:
        """What has come in since the last time, in the order of numbers."""
        missing = self._gaps.open(self._clock()) if self._late else []
        found = self._store.calls(
            limit=None, newest_first=False, after_seq=self._gaps.highest, missing_seqs=missing
        )
        self._gaps.see((call["seq"] for call in found), self._clock())
        return found
