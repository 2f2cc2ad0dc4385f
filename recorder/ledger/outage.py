"""While the store cannot be used: what is said about it, once, and when to try again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .failure import Failure

_logger = logging.getLogger("recorder")


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row: from a tenth to half a minute."""
    return float(min(0.1 * 2 ** min(failures - 1, 10), 30.0))


class Outage:
    """Failures of a store since it last worked."""

    def __init__(self, store: str, pause: Callable[[int], float]) -> None:
        self.failures = 0
        self._store = store
        self._pause = pause
        self._warned: set[str] = set()

    @property
    def pause_s(self) -> float:
        """How long to wait before the next attempt."""
        return self._pause(self.failures)

    def add(self, failure: Failure) -> None:
        """Count a failure, and warn of the first of its kind."""
        self.failures += 1
        # A lock is worth a word only when it stays.
        if failure.kind not in self._warned and (failure.kind != "locked" or self.failures > 1):
            self._warned.add(failure.kind)
            _logger.warning("calls wait to be stored: %s", failure.message)

    def end(self) -> None:
        """The store works."""
        if self.failures:
            _logger.info("%s works again", self._store)
        self.failures = 0
        self._warned.clear()
