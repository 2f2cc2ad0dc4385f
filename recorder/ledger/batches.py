"""Batches of records out of an intake into the store, whatever fails on the way, and what became of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..errors import StoreError
from ..guard import Guard
from .intake import Intake, Record
from .outage import Outage
from .pace import Pace
from .suspects import Suspects
from .turns import Turns
from .url import shown

if TYPE_CHECKING:
    from .sink import Sink

LARGEST: Final = 1_000

_logger = logging.getLogger("recorder")


class Batches:
    """The way of records from one intake into one store; for one thread. `target` is what its `url` resolved to.

    Every record that was taken is `stored` or, where it is the one that fails, `broken`; while the store itself
    fails, all stay where they are.
    """

    def __init__(
        self,
        url: str,
        target: str,
        intake: Intake,
        turns: Turns,
        pause: Callable[[int], float],
        *,
        durable: bool = False,
    ) -> None:
        self.intake = intake
        self.outage = Outage(shown(url), pause)
        self.last_error: StoreError | None = None
        self.stored = 0
        self.broken = 0
        self.sink: Sink | None = None
        self._url = url
        self._target = target
        self._durable = durable
        self._turns = turns
        self._guard = Guard()
        self._unreadable: set[int] = set()
        self._suspects = Suspects(LARGEST)
        self._pace = Pace(LARGEST)
        self._storing = False
        self._attempted = 0
        self._losses_noted = 0
        self._cause: str | None = None
        self._told_full = False

    @property
    def lost(self) -> int:
        """How many records will not be stored."""
        return self.intake.lost + self.broken

    @property
    def left(self) -> bool:
        """Whether there is anything to store: records, or the news that some are lost."""
        return self.intake.waiting > 0 or self.lost > self._losses_noted

    def store(self) -> None:
        """Store what waits, as much as makes a batch."""
        self._storing = True
        self._store()
        self._storing = False

    def fail(self, error: Exception) -> bool:
        """What `store` raised, or something else that was run; whether it is vain to go on at once."""
        if not self._storing:
            _logger.warning("recorder could not finish a call", exc_info=error)
            return False
        self._storing = False
        from .failure import diagnose, explain

        failure = diagnose(error, self._url)
        self.last_error = explain(error, self._url)
        self._cause = str(self.last_error)
        if failure.kind == "record" and self._attempted:
            if self._suspects.refused(self._attempted):
                self._give_up_oldest()
            return False
        self.outage.add(failure)
        self.close()
        return not failure.transient

    def close(self) -> None:
        """Close the store; the next batch opens it again."""
        if self.sink is not None:
            self.sink.close()

    def say_what_is_left(self, lost: int, timeout: float | None, *, settled: bool) -> None:
        """Warn of calls that are `lost`, and of those that stay in a journal, now that no more will be stored."""
        no_time = f"they were not done after {timeout} s"
        reason = self.last_error or (no_time if self.intake.waiting else self.intake.reason)
        if lost:
            calls = "1 call was" if lost == 1 else f"{lost} calls were"
            _logger.warning("%s not stored in %s: %s", calls, shown(self._url), reason)
        # What came after all was settled, threads have added since: nothing to worry about.
        if (kept := self.intake.kept) and not settled:
            _logger.warning(
                "%s in the journal of %s, until a recorder opens it or `recorder drain` runs: %s",
                "1 call stays" if kept == 1 else f"{kept} calls stay",
                shown(self._url),
                reason,
            )

    def _store(self) -> None:
        self._turns.measure(self.intake.waiting)
        taken = self.intake.take(min(self._suspects.piece, self._pace.size), self._turns.give)
        records = [record for record in taken if self._read(record)]
        lost, self._attempted = self.lost, len(taken)
        if not taken and lost == self._losses_noted:
            return
        if self.sink is None:
            # Here, since it imports SQLAlchemy: in this thread, not in the caller's.
            from .sink import Sink

            self.sink = Sink(self._target, durable=self._durable, between=self._turns.give)
        self._warn_full()
        self.sink.store(records, lost - self._losses_noted, self._cause or self.intake.reason)
        self._losses_noted = lost
        self.intake.settle(len(taken))
        self._unreadable.clear()
        self.stored += len(records)
        self._suspects.passed(len(taken))
        self._pace.took(len(taken), self.sink.held_s, self.sink.waited_s)
        self.outage.end()
        self._cause = None

    def _read(self, record: Record) -> bool:
        """Whether a record can be read, which happens here; one that cannot is lost."""
        self._turns.give()
        if id(record) not in self._unreadable:
            with self._guard:
                return bool(record.call)
            self._unreadable.add(id(record))
            self.broken += 1
        return False

    def _warn_full(self) -> None:
        if self.intake.refused and not self._told_full:
            self._told_full = True
            _logger.warning("calls are lost on their way to %s: %s", shown(self._url), self.intake.reason)

    def _give_up_oldest(self) -> None:
        record = self.intake.take(1)[0]
        if self._read(record):
            _logger.warning("call %s could not be stored: %s", record.call.id, self.last_error)
            self.broken += 1
        self._unreadable.discard(id(record))
        self.intake.give_up()
