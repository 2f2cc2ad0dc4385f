"""The rest of the writer's thread: until there is work, then a little longer, for company."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..ended import Ended
from ..played import Played
from .batches import Batches
from .bell import Bell
from .intake import Record

BATCH: Final = 500
_LOOK_S: Final = 1.0


@dataclass(slots=True)
class Closing:
    """How far a writer is with its end: it was `asked` to, and it is `shut`, which is after the last flush."""

    asked: bool = False
    shut: bool = False


class Rest:
    """Where the thread waits, and what those who put records must know of that.

    While it is `idle`, somebody has to ring the bell for a record; if it also `looks`, from time to time, not for
    one that can wait.
    """

    def __init__(
        self,
        bell: Bell,
        batches: Batches,
        closing: Closing,
        linger_s: float,
        clock: Callable[[], float],
    ) -> None:
        self.idle = False
        self.looks = False
        self._bell = bell
        self._batches = batches
        self._intake = batches.intake
        self._closing = closing
        self._linger_s = linger_s
        self._clock = clock

    def take(self) -> None:
        """Wait for a record, then a little for others; after a failure, wait for a better time."""
        bell, outage = self._bell, self._batches.outage
        tickets = bell.waiting
        until = self._wait(tickets)
        while bell.waiting == tickets and (outage.failures or self._intake.waiting < BATCH):
            left = until - self._clock()
            if left <= 0 or self._closing.shut or not bell.hear(left):
                break
        while bell.hear(0):
            pass

    def _wait(self, tickets: int) -> float:
        """Until there is work, unless there is other reason to go on; until when to wait for more."""
        outage, wait_s = self._batches.outage, self._linger_s
        if outage.failures and not self._closing.shut:
            wait_s = outage.pause_s
        elif self._closing.asked or tickets:
            wait_s = 0.0
        elif not self._batches.left:
            self.idle = True
            if not self._batches.left:
                self._wait_for_work()
            self.idle = False
        return self._clock() + wait_s

    def _wait_for_work(self) -> None:
        """Until the bell rings; as long as replays come, which do not ring it again, look for them each second."""
        if self.looks and (self._bell.hear(_LOOK_S) or self._intake.volatile):
            return
        self.looks = False
        if not self._intake.volatile:  # what was put before is there, what comes later rings
            self._bell.hear(None)


def can_wait(record: Record) -> bool:
    """Whether nobody is to be woken for a record: to wake a thread takes longer than all else that a replay costs."""
    return type(record) is Played or (isinstance(record, Ended) and record.attempt.replayed)
