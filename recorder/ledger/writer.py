"""The writer: one thread that carries records into the store, so that no caller waits for it."""

from __future__ import annotations

import _thread
import logging
import math
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from ..attempt import Attempt
from ..ended import Ended
from ..errors import StoreError
from ..exchange import Request
from ..played import Played
from .batches import Batches
from .bell import Bell, Ticket
from .intake import Intake, MemoryIntake, Record
from .outage import pause_after
from .turns import Turns
from .url import check_url, resolved, shown

if TYPE_CHECKING:
    from .sink import Sink

LINGER_S: Final = 0.05
BATCH: Final = 500
_END_S: Final = 2.0
_LOOK_S: Final = 1.0

_logger = logging.getLogger("recorder")


class Writer:
    """Stores what is put, in batches, in a thread of its own that begins with the first record.

    `queue_bytes` bounds the memory of what waits, or `intake` makes the place where it does. While the
    store cannot be used, records wait up to that bound; newer ones are dropped and counted, and the store
    gets a row in `losses` when it works again. `linger_s` is how long the first record waits for company,
    `pause` how long the thread waits after so many failures in a row.
    """

    def __init__(
        self,
        url: str,
        queue_bytes: int,
        *,
        intake: Callable[[], Intake] | None = None,
        durable: bool = False,
        linger_s: float = LINGER_S,
        pause: Callable[[int], float] = pause_after,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        check_url(url)
        self.url = url
        self._target = resolved(url)
        self._make_intake = intake or (lambda: MemoryIntake(queue_bytes))
        self._durable = durable
        self._linger_s = linger_s
        self._pause = pause
        self._clock = clock
        self._begin()
        _writers.add(self)

    def _begin(self) -> None:
        """The state of a writer that has seen nothing; also of one in a forked child."""
        self._turns = Turns()
        self._intake = self._make_intake()
        self._batches = Batches(
            self.url,
            self._target,
            self._intake,
            self._turns,
            lambda failures: self._pause(failures),
            durable=self._durable,
        )
        self._bell = Bell(self._intake.mark)
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._idle = self._looks = False
        self._stopping = False
        self._shut = False
        self._closed_well: bool | None = None
        self._lost_told = 0

    @property
    def stored(self) -> int:
        """How many calls were stored."""
        return self._batches.stored

    @property
    def last_error(self) -> StoreError | None:
        """Why the store could not be used the last time that it could not."""
        return self._batches.last_error

    @property
    def lost(self) -> int:
        """How many calls were put and will not be stored."""
        return self._batches.lost + (self._intake.volatile if self._shut else 0)

    def start(self, attempt: Attempt, request: Request, started_us: int, *, redacted: bool) -> None:
        """A call is about to be sent; `request` is without secrets."""
        self._turns.called = True
        self._intake.start(attempt, request, started_us, redacted=redacted)

    def drop(self, attempt: Attempt) -> None:
        """A call that started will not be put."""
        self._intake.drop(attempt)

    def put(self, record: Record) -> None:
        """Have a call stored soon. Never blocks and never raises; what does not fit counts as lost."""
        self._intake.put(record)
        self._turns.called = True
        if self._idle and not (self._looks and _can_wait(record)):
            self._idle = False
            self._looks = _can_wait(record)
            self._bell.ring()
        if self._thread is None and not self._shut and self._work_left():
            self._start()

    def begin(self) -> None:
        """Begin the thread now, and not while the caller of the first record waits."""
        if not self._shut:
            self._start()

    def call_soon(self, work: Callable[[], None]) -> None:
        """Run something in the writer's thread soon; callable from anywhere, even from a finalizer."""
        self._bell.call(work)
        if self._thread is None or self._stopping:
            # Not from here: the garbage collector may have come while this thread holds threading's own lock.
            with suppress(RuntimeError):
                _thread.start_new_thread(self._start, ())

    def flush(self, timeout: float | None = 5.0) -> bool:
        """Wait until everything put before is stored; false on time-out, or for losses since the last flush.

        A store that is locked or unreachable is tried until the time is over; with one that fails
        otherwise there is no waiting.
        """
        return self._settle(timeout)

    def close(self, timeout: float | None = 5.0, *, leave_journal: bool = False) -> bool:
        """Flush and end the thread; what is not stored then is lost, and said so once.

        With `leave_journal` calls are still taken, for another process to store.
        """
        with self._lock:
            if self._stopping:
                return bool(self._closed_well)
            self._stopping = True
        settled = self._settle(timeout)
        self._shut = True
        if not leave_journal:
            self._intake.shut()
        self._bell.ring()
        self._say_what_is_left(timeout, settled=settled)
        self._closed_well = settled and not self.lost
        self._end_thread(_END_S if settled or timeout is None else min(timeout, _END_S))
        return self._closed_well

    def _say_what_is_left(self, timeout: float | None, *, settled: bool) -> None:
        lost, waiting = self.lost, self._waiting()
        no_time = f"they were not done after {timeout} s"
        reason = self.last_error or (no_time if waiting else self._intake.reason)
        if lost:
            calls = "1 call was" if lost == 1 else f"{lost} calls were"
            _logger.warning("%s not stored in %s: %s", calls, shown(self.url), reason)
        # What came after all was settled, threads have added since: nothing to worry about.
        if (kept := self._intake.kept) and not settled:
            _logger.warning(
                "%s in the journal of %s, until a recorder opens it or `recorder drain` runs: %s",
                "1 call stays" if kept == 1 else f"{kept} calls stay",
                shown(self.url),
                reason,
            )

    def _end_thread(self, patience_s: float) -> None:
        """Let the thread close what it has open, which is quick unless the store keeps it waiting."""
        thread = self._thread
        if thread is None:
            self._intake.close()
        elif thread.ident != threading.get_ident():
            thread.join(patience_s)

    def _settle(self, timeout: float | None) -> bool:
        thread = self._thread
        if self._shut or (thread is not None and thread.ident == threading.get_ident()):
            return not self.lost and not self._waiting()
        settled = True
        if thread is not None or self._work_left() or not self._bell.quiet:
            ticket = self._bell.ask()
            if self._start():
                ticket.answered.wait(timeout)
            else:
                self._work_here(ticket, timeout)
            settled = ticket.is_settled is not None and ticket.is_settled()
        with self._lock:
            lost, told = self.lost, self._lost_told
            self._lost_told = lost
        return settled and lost == told

    def _start(self) -> bool:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="recorder-writer", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:
                    # No more threads, or the interpreter is shutting down: the next put tries again.
                    self._thread = None
            return self._thread is not None

    def _work_here(self, ticket: Ticket, timeout: float | None) -> None:
        """Do the thread's work: since Python 3.12 an interpreter that shuts down starts no thread any more."""
        until = math.inf if timeout is None else self._clock() + timeout
        while not ticket.answered.is_set() and self._clock() < until:
            self._step()

    def _run(self) -> None:
        ended = False
        try:
            while not ended:
                ended = self._step()
        finally:
            if not ended:
                self._thread = None

    def _step(self) -> bool:
        """One turn, whatever fails in it; true where the thread is to end."""
        try:
            return self._turn()
        except Exception as error:  # noqa: BLE001 - the guard of this thread, which must go on
            if self._batches.fail(error):
                self._bell.answer(everybody=True)
            return False

    def _turn(self) -> bool:
        """Wait for work and do it; true where the thread is to end."""
        self._rest()
        if not self._shut and self._work_left():
            self._batches.store()
        self._bell.answer(everybody=self._shut)
        return self._stopping and not self._bell.waiting and self._leave()

    def _rest(self) -> None:
        """Wait for a record, then a little for others; after a failure, wait for a better time."""
        tickets, outage = self._bell.waiting, self._batches.outage
        wait_s = self._linger_s
        if outage.failures and not self._shut:
            wait_s = outage.pause_s
        elif self._stopping or tickets:
            wait_s = 0.0
        elif not self._work_left():
            self._idle = True
            if not self._work_left():
                self._wait_for_work()
            self._idle = False
        until = self._clock() + wait_s
        while self._bell.waiting == tickets and (outage.failures or self._waiting() < BATCH):
            left = until - self._clock()
            if left <= 0 or self._shut or not self._bell.hear(left):
                break
        while self._bell.hear(0):
            pass

    def _wait_for_work(self) -> None:
        """Until the bell rings; as long as replays come, which do not ring it again, look for them each second."""
        if self._looks and (self._bell.hear(_LOOK_S) or self._intake.volatile):
            return
        self._looks = False
        if not self._intake.volatile:  # what was put before is there, what comes later rings
            self._bell.hear(None)

    def _work_left(self) -> bool:
        return self._batches.left

    def _waiting(self) -> int:
        return self._intake.waiting

    def _leave(self) -> bool:
        """End the thread, unless something was asked of it just now."""
        self._batches.close()
        with self._lock:
            if not self._bell.quiet:
                return False
            self._intake.close()
            self._thread = None
            return True


def _can_wait(record: Record) -> bool:
    """Whether nobody is to be woken for a record: to wake a thread takes longer than all else that a replay costs."""
    return isinstance(record, Played) or (isinstance(record, Ended) and record.attempt.replayed)


_writers: WeakSet[Writer] = WeakSet()
# What a forked child inherits is neither used nor closed there: closing it would drop the parent's locks.
_inherited: list[Sink | None] = []


def _begin_in_child() -> None:
    for writer in list(_writers):
        _inherited.append(writer._batches.sink)
        stopped = writer._stopping
        writer._intake.forsake()
        writer._begin()
        if stopped:
            writer.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
