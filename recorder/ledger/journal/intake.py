"""The journal as an intake of the writer: calls wait on disk, and in memory only where that fails."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from ..intake import MemoryIntake, nothing
from .appending import AppendingIntake
from .backlog import Backlog, claim_backlog
from .files import Position, names, segment_path
from .locks import is_locked

_LOOK_S: Final = 30.0
"""How long not to look for what other processes have left."""

_Source = Backlog | MemoryIntake

_logger = logging.getLogger("recorder")


def _is_finished(own: Backlog, end: Position) -> bool:
    """Whether all up to there is stored, and no call is in flight."""
    try:
        return not own.take(1) and not own.open and own.done >= end
    except OSError:
        return False


class JournalIntake(AppendingIntake):
    """Also stores what it wrote, and what dead processes left; with `every`, what living ones write as well.

    A replay waits in memory: what it answered was recorded before, and no money is lost with its row.
    """

    _writes_replays = False

    def __init__(
        self,
        directory: Path,
        limit_bytes: int,
        *,
        synced: bool = False,
        every: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(directory, limit_bytes, synced=synced)
        self._directory = directory
        self._synced = synced
        self._every = every
        self._clock = clock
        self._own: Backlog | None = None
        self._others: list[Backlog] = []
        self._source: _Source = self._memory
        self._turn = 0
        self._settled = 0
        self._missing = 0
        self._damaged = 0
        self._look_at = clock()
        self._quiet = True
        self._told: set[str] = set()

    @property
    def lost(self) -> int:
        """How many records will not be stored."""
        return self.refused + self._missing + self._damaged + sum(each.damaged for each in self._others)

    @property
    def reason(self) -> str:
        """Why records are lost."""
        return super().reason if self.refused else f"records of the journal {self._directory} were damaged"

    @property
    def waiting(self) -> int:
        """How many records are to be stored by this process; about so many, but 0 only where there are none."""
        others = not self._quiet or (self._clock() >= self._look_at and os.path.isdir(self._directory))
        return self.kept + self._memory.waiting + others

    @property
    def kept(self) -> int:
        """How many records this process has written and not stored."""
        return max(0, self.journal.ended - self._settled)

    def take(self, limit: int, between: Callable[[], None] = nothing) -> list[Any]:
        """The oldest records of one source after the other; they stay until they are settled."""
        if self._clock() >= self._look_at:
            self._look()
        failure: OSError | None = None
        for source in self._in_turn():
            try:
                records = self._taken(source, limit, between)
            except OSError as error:  # what cannot be read must not hold up the others
                failure = failure or self._failed(source, error)
                continue
            if records:
                self._source = source
                return records
        if failure is not None:
            raise failure
        self._quiet = True
        return []

    def settle(self, count: int) -> None:
        """Forget the oldest records: they are stored, or given up."""
        if not count:
            return
        self._source.settle(count)
        if self._source is self._own:
            self._settled += count
            self.journal.log.settle(self._own.done)
        elif isinstance(self._source, Backlog):
            self._end_finished(self._source)
        self._turn += 1

    def give_up(self) -> None:
        """Forget the oldest record, but for what is kept aside."""
        if isinstance(self._source, Backlog):
            self._source.keep_aside()
        self.settle(1)

    def mark(self) -> Callable[[], bool]:
        """A question to ask later: whether all that was put before is settled, and what was left before."""
        self._look()
        memory = self._memory.mark()
        ended = self.journal.ended
        others = [(each, each.end) for each in self._others]
        return lambda: (
            memory()
            and self._settled >= ended
            and all(each not in self._others or (each.alive and each.done >= last) for each, last in others)
        )

    def close(self) -> None:
        """Let go of the files, and leave none behind that are done with."""
        if not self._memory.waiting:
            self.journal.drop_elsewhere()
        own = self._own
        # First this: threads that make calls yet, as the interpreter ends, go on under another name.
        end = self.journal.log.close(remove_lock=own is None)
        if own is not None:
            own.close(finished=_is_finished(own, end))
        for each in self._others:
            each.close(finished=each.finished)
        self._own, self._others = None, []
        try:
            self._directory.rmdir()
        except OSError:  # others use it, or it was never made
            pass

    def forsake(self) -> None:
        """In a forked child: the files are the parent's."""
        super().forsake()
        for each in (self._own, *self._others):
            if each is not None:
                each.close()

    def _in_turn(self) -> Iterator[_Source]:
        sources: list[_Source] = [*self._others, self._memory]
        if self._own is not None or self._claim():
            assert self._own is not None
            sources.append(self._own)
        first = self._turn % len(sources)
        yield from (*sources[first:], *sources[:first])

    def _claim(self) -> bool:
        """Begin to read what this process has written."""
        name = self.journal.log.name
        if name is not None:
            self._own = self._claimed(name)
        return self._own is not None

    def _claimed(self, name: str) -> Backlog | None:
        """The backlog of a process, unless another one has it, or this one may not."""
        try:
            return claim_backlog(self._directory, name, synced=self._synced)
        except OSError as error:
            self._say(name, error)
            return None

    def _has_ended(self, name: str) -> bool:
        try:
            return not is_locked(self._directory / f"{name}.live")
        except OSError as error:
            self._say(name, error)
            return False

    def _failed(self, source: _Source, error: OSError) -> OSError | None:
        """What cannot be read of another process is left until the next look; our own is what has failed."""
        if source is self._own or not isinstance(source, Backlog):
            return error
        self._say(source.name, error)
        self._damaged += source.damaged
        source.close()
        self._others.remove(source)
        return None

    def _say(self, name: str, error: OSError) -> None:
        if name not in self._told:
            self._told.add(name)
            _logger.warning(
                "the journal %s in %s cannot be read: %s", name, self._directory, error.strerror or error
            )

    def _taken(self, source: _Source, limit: int, between: Callable[[], None]) -> list[Any]:
        if source is self._own:
            return self._take_own(source, limit, between)
        records = source.take(limit, between)
        if isinstance(source, Backlog):
            self._end_finished(source)
        return records

    def _end_finished(self, other: Backlog) -> None:
        """Forget another process of which all is stored."""
        if other.finished:
            self._damaged += other.damaged
            other.close(finished=True)
            self._others.remove(other)

    def _take_own(self, own: Backlog, limit: int, between: Callable[[], None]) -> list[Any]:
        log = self.journal.log
        ended, end = self.journal.ended, log.end
        records = own.take(limit, between)
        log.settle(own.done)
        if not records and ended > self._settled and own.done >= end:
            self._missing += ended - self._settled
            self._settled = ended
        elif not records and log.name is not None and not self._is_there(log.name, end):
            self._begin_anew(own, ended)
        return records

    def _is_there(self, name: str, end: Position) -> bool:
        return not end.segment or segment_path(self._directory, name, end.segment).exists()

    def _begin_anew(self, own: Backlog, ended: int) -> None:
        """Somebody removed the files under us: what they held is lost, what comes is not."""
        self._missing += ended - self._settled
        self._settled = ended
        self.journal.log.begin_anew()
        own.close()
        self._own = None

    def _look(self) -> None:
        """Look for what other processes have left, and which of them have ended."""
        self._look_at = self._clock() + _LOOK_S
        known = {self.journal.log.name, *(each.name for each in self._others)}
        for name in names(self._directory):
            if name in known or not (self._every or self._has_ended(name)):
                continue
            if (found := self._claimed(name)) is not None:
                self._others.append(found)
        for each in self._others:
            each.look()
        self._quiet = not self._others
