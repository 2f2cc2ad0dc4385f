"""How many records make a batch: as many as are stored before others, who want to write too, lose their patience."""

from __future__ import annotations

from typing import Final

HOLD_S: Final = 0.1
"""How long one batch may keep others from writing, where there are some; SQLite has no line for them to stand in."""

HOLD_ALONE_S: Final = 0.25
"""The same where nobody is met; who comes is to get a turn yet."""

_WAITED_S: Final = 0.05
_REMEMBERED: Final = 10
_FIRST: Final = 250
_LEAST: Final = 50


class Pace:
    """The size of batches, which follows from how long the last ones took.

    What stores a thousand calls in a twentieth of a second alone takes sixty times as long where processors are shared
    with many, and the interpreter with callers who never rest.
    """

    def __init__(self, most: int) -> None:
        self.size = min(_FIRST, most)
        self._most = most
        self._alone = _REMEMBERED

    def took(self, count: int, held_s: float, waited_s: float = 0.0) -> None:
        """A batch of so many records has kept others from writing for so long, after it waited for them."""
        self._alone = 0 if waited_s > _WAITED_S else self._alone + 1
        hold_s = HOLD_S if self._alone < _REMEMBERED else HOLD_ALONE_S
        fitting = int(count * hold_s / held_s) if held_s else self._most
        if held_s > hold_s:
            self.size = max(_LEAST, min(self.size, fitting))
        elif count >= self.size:
            self.size = min(self._most, 2 * self.size, max(self.size, fitting))
