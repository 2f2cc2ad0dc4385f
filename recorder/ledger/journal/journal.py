"""The journal as those who make calls see it: it takes what starts and what ends, and never raises."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from ...attempt import Attempt
from ...ended import Ended
from ...exchange import Request
from .entries import UNWRITABLE, Entry, dropped, end_of, start_of
from .log import Log

_PATIENCE_S: Final = 1.0
"""How long to leave a disk alone that has failed."""

Written = Literal["written", "full", "failed"]

_logger = logging.getLogger("recorder")


class Journal:
    """Writes down each call twice: before its send, and at its end.

    `refused` counts the ends for which there was no room.
    """

    def __init__(
        self,
        directory: Path,
        limit_bytes: int,
        *,
        synced: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log = Log(directory, limit_bytes, synced=synced)
        self.refused = 0
        self._clock = clock
        self._failing_until: float | None = None
        self._told = False
        self._elsewhere: list[Attempt] = []
        self._lock = threading.RLock()

    @property
    def ended(self) -> int:
        """How many ends were written."""
        return self.log.ends

    def start(self, attempt: Attempt, request: Request, started_us: int, *, redacted: bool) -> None:
        """Write that a call is about to be sent; `request` is without secrets."""
        if self._failing_until is None or self._tries_again():
            written = self._write(start_of(attempt, request, started_us, redacted))
            attempt.journalled = written == "written"

    def end(self, ended: Ended) -> Written:
        """Write how a call has ended; what comes of it is counted, unless it `failed` and has to wait elsewhere."""
        written: Written = "failed"
        if self._failing_until is None or self._tries_again():
            written = self._write(end_of(ended))
        if written == "full":
            with self._lock:
                self.refused += 1
            self.drop(ended.attempt)
        elif written == "failed" and ended.attempt.journalled:
            self._elsewhere.append(ended.attempt)
        return written

    def drop(self, attempt: Attempt) -> None:
        """Write that a call which started is not to be recorded."""
        if attempt.journalled and (self._failing_until is None or self._tries_again()):
            self._write(dropped(attempt), bounded=False)

    def drop_elsewhere(self) -> None:
        """Drop the starts of calls whose ends had to wait elsewhere, and wait no more."""
        self._failing_until = None
        while self._elsewhere:
            self.drop(self._elsewhere.pop())

    def _write(self, entry: Entry, *, bounded: bool = True) -> Written:
        try:
            written: Written = "written" if self.log.append(entry, bounded=bounded) else "full"
        except UNWRITABLE:
            return "failed"
        except OSError as error:
            self._fail(error)
            return "failed"
        if written == "written":
            self._failing_until = None
        return written

    def _tries_again(self) -> bool:
        """Whether a disk that has failed was left alone for long enough."""
        return self._failing_until is None or self._clock() >= self._failing_until

    def _fail(self, error: OSError) -> None:
        self._failing_until = self._clock() + _PATIENCE_S
        if not self._told:
            self._told = True
            _logger.warning(
                "calls wait in memory, since the journal %s cannot be written: %s",
                self.log.directory,
                error.strerror or error,
            )
