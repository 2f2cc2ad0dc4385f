"""The bell of a thread: what others tell it while it waits, and who of them waits for an answer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable


class Ticket:
    """Somebody waits until all that was put before is settled, or cannot be for now."""

    def __init__(self) -> None:
        self.is_settled: Callable[[], bool] | None = None
        self.answered = threading.Event()


_Message = Ticket | Callable[[], None] | None
"""What the thread is told: somebody waits; something to run; or None, look for work."""


class Bell:
    """Rung from anywhere, even from a finalizer; heard by one thread. `mark` makes what a ticket is settled by.

    Its queue is made when it is first needed: gevent, which puts others into the place of queues and threads, may
    come after the recorder, and to wait at a queue of before would stop all of its greenlets.
    """

    def __init__(self, mark: Callable[[], Callable[[], bool]]) -> None:
        self._mark = mark
        self._queues: dict[None, queue.SimpleQueue[_Message]] = {}
        self._tickets: list[Ticket] = []

    @property
    def quiet(self) -> bool:
        """Whether all that was told was heard."""
        return not self._queues or self._messages.empty()

    @property
    def waiting(self) -> int:
        """How many tickets were heard and not answered."""
        return len(self._tickets)

    def ring(self) -> None:
        """There is work."""
        self._messages.put(None)

    def call(self, work: Callable[[], None]) -> None:
        """Have something run by the thread."""
        self._messages.put(work)

    def ask(self) -> Ticket:
        """Have the thread say when all that was put so far is settled."""
        ticket = Ticket()
        self._messages.put(ticket)
        return ticket

    @property
    def _messages(self) -> queue.SimpleQueue[_Message]:
        found = self._queues.get(None)
        # Of two threads that make one, both go on with the same.
        return self._queues.setdefault(None, queue.SimpleQueue()) if found is None else found

    def hear(self, seconds: float | None) -> bool:
        """Take one message, and do what it says; false where none came in time."""
        try:
            message = self._messages.get(timeout=seconds) if seconds != 0 else self._messages.get_nowait()
        except queue.Empty:
            return False
        if isinstance(message, Ticket):
            message.is_settled = self._mark()
            self._tickets.append(message)
        elif message is not None:
            message()
        return True

    def answer(self, *, everybody: bool = False) -> None:
        """Answer those whose records are settled, or everybody."""
        left = []
        for ticket in self._tickets:
            if everybody or (ticket.is_settled is not None and ticket.is_settled()):
                ticket.answered.set()
            else:
                left.append(ticket)
        self._tickets = left
