"""How many records make a batch: as many as are stored before others, who want to write too, lose their patience."""

from __future__ import annotations

from typing import Final

HOLD_S: Final = 0.1
"""How long one batch may keep others from writing; SQLite has no line to stand in, and refuses who waits too long."""

_FIRST: Final = 250
_LEAST: Final = 20


class Pace:
    """The size of batches, which follows from how long the last ones took.

    What stores a thousand calls in a twentieth of a second alone takes sixty times as long where processors are shared
    with many, and the interpreter with callers who never rest.
    """

    def __init__(self, most: int) -> None:
        self.size = min(_FIRST, most)
        self._most = most

    def took(self, count: int, held_s: float) -> None:
        """A batch of so many records has kept others from writing for so long."""
        fitting = int(count * HOLD_S / held_s) if held_s else self._most
        if held_s > HOLD_S:
            self.size = max(_LEAST, min(self.size, fitting))
        elif count >= self.size:
            self.size = min(self._most, 2 * self.size, max(self.size, fitting))
