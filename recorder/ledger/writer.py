"""The writer: one thread that carries records into the store, so that no caller waits for it."""

from __future__ import annotations

import _thread
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ..attempt import Attempt
from ..errors import StoreError
from ..exchange import Request
from .batches import Batches
from .bell import Bell, Ticket
from .forked import begin_anew_when_forked
from .intake import Intake, MemoryIntake, Record
from .outage import pause_after
from .rest import Closing, Rest, can_wait
from .turns import Turns
from .url import check_url, resolved

if TYPE_CHECKING:
    from .sink import Sink

LINGER_S: Final = 0.05
_END_S: Final = 2.0


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
        begin_anew_when_forked(self)

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
        self._closing = Closing()
        self._rest = Rest(self._bell, self._batches, self._closing, self._linger_s, self._clock)
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
        return self._batches.lost + (self._intake.volatile if self._closing.shut else 0)

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
        rest = self._rest
        if rest.idle and not (rest.looks and can_wait(record)):
            rest.idle = False
            rest.looks = can_wait(record)
            self._bell.ring()
        if self._thread is None and not self._closing.shut and self._batches.left:
            self._start()

    def begin(self) -> None:
        """Begin the thread now and have it look for replays, so that the caller of the first one need not wake it."""
        if self._closing.shut:
            return
        rest = self._rest
        rest.looks = True
        self._start()
        if rest.idle:
            rest.idle = False
            self._bell.ring()

    @property
    def open_sink(self) -> Sink | None:
        """What it has open, if anything; in a forked child that is the parent's."""
        return self._batches.sink

    def begin_in_child(self) -> None:
        """After a fork, in the child: begin as one that has seen nothing; one that was closed stays closed."""
        closed = self._closing.asked
        self._intake.forsake()
        self._begin()
        if closed:
            self.close()

    def call_soon(self, work: Callable[[], None]) -> None:
        """Run something in the writer's thread soon; callable from anywhere, even from a finalizer."""
        self._bell.call(work)
        if self._thread is None or self._closing.asked:
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
            if self._closing.asked:
                return bool(self._closed_well)
            self._closing.asked = True
        settled = self._settle(timeout)
        self._closing.shut = True
        if not leave_journal:
            self._intake.shut()
        self._bell.ring()
        self._batches.say_what_is_left(self.lost, timeout, settled=settled)
        self._closed_well = settled and not self.lost
        self._end_thread(_END_S if settled or timeout is None else min(timeout, _END_S))
        return self._closed_well

    def _end_thread(self, patience_s: float) -> None:
        """Let the thread close what it has open, which is quick unless the store keeps it waiting."""
        thread = self._thread
        if thread is None:
            self._intake.close()
        elif thread.ident != threading.get_ident():
            thread.join(patience_s)

    def _settle(self, timeout: float | None) -> bool:
        # The bell first: who has just taken the last of what it was told is the thread, which is there then.
        quiet, thread = self._bell.quiet, self._thread
        if self._closing.shut or (thread is not None and thread.ident == threading.get_ident()):
            return not self.lost and not self._intake.waiting
        settled = True
        if thread is not None or self._batches.left or not quiet:
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
        self._rest.take()
        if not self._closing.shut and self._batches.left:
            self._batches.store()
        self._bell.answer(everybody=self._closing.shut)
        return self._closing.asked and not self._bell.waiting and self._leave()

    def _leave(self) -> bool:
        """End the thread, unless something was asked of it just now."""
        self._batches.close()
        with self._lock:
            if not self._bell.quiet:
                return False
            self._intake.close()
            self._thread = None
            return True
