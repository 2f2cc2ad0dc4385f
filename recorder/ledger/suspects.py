"""The search for the one record that the store refuses, so that it does not hold up the others."""

from __future__ import annotations


class Suspects:
    """How many records to try next: a whole batch, or halves of the one that failed, down to one record."""

    def __init__(self, batch: int) -> None:
        self.piece = batch
        self._batch = batch
        self._suspects = 0

    def refused(self, count: int) -> bool:
        """The oldest `count` records were refused together; true where that is one alone, which must go."""
        if count == 1:
            self.passed(1)
            return True
        self._suspects = count
        self.piece = count // 2
        return False

    def passed(self, count: int) -> None:
        """The oldest `count` records are done with."""
        self._suspects = max(0, self._suspects - count)
        self.piece = max(1, self._suspects // 2) if self._suspects else self._batch
