"""The backlog: what one process wrote to the journal and the store does not have yet."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from ...guard import Guard
from ..intake import nothing
from .damage import Damage
from .entries import Dropped, End, Start, decode
from .files import Position, ProcessFiles, read_position, remove, sync, write_position
from .frames import Piece
from .kept import Kept
from .locks import is_locked, lock_file
from .open_calls import OpenCalls
from .refused import keep_refused
from .segment import read_pieces

BATCH_BYTES: Final = 16 * 1024 * 1024

_logger = logging.getLogger("recorder")


class _Ready(NamedTuple):
    """A call to be stored, and how far the journal is done with then."""

    record: Kept
    after: Position


class Backlog:
    """Reads the segments of one process in order, and removes them when they are stored.

    Whoever has one holds the lock on its position. Calls that have started stay in the segments, and
    open here, until they end, or until it is known that their process has.
    """

    def __init__(self, directory: Path, name: str, lock: int, *, synced: bool = False) -> None:
        self.name = name
        self._files = files = ProcessFiles(directory, name)
        self._lock: int | None = lock
        self._synced = synced
        self._guard = Guard()
        self._done = read_position(files.path("position"))
        self._cursor = Position(0, 0)
        self._open = OpenCalls(files)
        self._ready: deque[_Ready] = deque()
        self._damage = Damage(files.path("corrupt"))
        self._dead = False
        self._exhausted = False

    @property
    def damaged(self) -> int:
        """How many calls could not be read."""
        return self._damage.calls

    @property
    def done(self) -> Position:
        """How far all is stored."""
        return self._done

    @property
    def finished(self) -> bool:
        """Whether all is stored of a process that writes no more."""
        return self._exhausted and not self._ready and not self._open

    @property
    def alive(self) -> bool:
        """Whether the process may still write, as far as is known."""
        return not self._dead

    @property
    def end(self) -> Position:
        """Where the segments end now."""
        numbers = self._files.segments()
        if not numbers:
            return Position(0, 0)
        try:
            path = self._files.segment(numbers[-1])
            return Position(numbers[-1], path.stat().st_size)
        except OSError:
            return Position(0, 0)

    @property
    def open(self) -> bool:
        """Whether calls have started that have not ended."""
        return bool(self._open)

    def look(self) -> None:
        """Find out whether the process has ended; what it wrote last is there to be read then."""
        self._dead = self._dead or not is_locked(self._files.path("live"))

    def take(self, limit: int, between: Callable[[], None] = nothing) -> list[Kept]:
        """The oldest calls that are not stored, at most so many; they stay until they are settled."""
        size = sum(ready.record.size for ready in self._ready)
        if len(self._ready) < limit and size < BATCH_BYTES:
            for ready in self._read_on():
                self._ready.append(ready)
                size += ready.record.size
                between()
                if len(self._ready) >= limit or size >= BATCH_BYTES:
                    break
        if not self._ready:
            self._advance(self._cursor)
        return [ready.record for ready in self._ready][:limit]

    def settle(self, count: int) -> None:
        """The oldest are stored, or given up: note so, then remove what nobody needs any more."""
        after = self._done
        for _ in range(count):
            record, after = self._ready.popleft()
            self._open.settle(record.id)
        self._advance(after if self._ready else max(after, self._cursor))

    def keep_aside(self) -> None:
        """Write the oldest call where nobody takes it for one that is to be stored, but who asks for it."""
        record = self._ready[0].record
        entries = (record.start, record.end)
        keep_refused(self._files.directory, self.name, [entry for entry in entries if entry is not None])

    def close(self, *, finished: bool = False) -> None:
        """Unlock; where it is finished, leave nothing behind but what was damaged."""
        if self._lock is None:
            return
        if finished and not self._open and not self._ready:
            for number in self._files.segments():
                remove(self._files.segment(number))
            for kind in ("carried", "live", "position"):
                remove(self._files.path(kind))
        os.close(self._lock)
        self._lock = None

    def _read_on(self) -> Iterator[_Ready]:
        """Read from the cursor on, which then stands behind what was yielded."""
        while True:
            number, offset = self._cursor
            later = [each for each in self._files.segments() if each > number]
            path = self._files.segment(number)
            for piece in read_pieces(path, offset, final=bool(later) or self._dead):
                self._cursor = Position(number, piece.end)
                if (ready := self._take(number, piece)) is not None:
                    yield ready
            if not later:
                break
            self._cursor = Position(later[0], 0)
        if self._dead:
            self._exhausted = True
            yield from self._interrupted()

    def _take(self, number: int, piece: Piece) -> _Ready | None:
        stored = self._cursor <= self._done
        try:
            entry = None if piece.record is None else decode(piece.record)
        except (msgspec.MsgspecError, ValueError):
            entry = None
        if isinstance(entry, Start):
            self._open.add(entry, number, piece, stored=stored)
        elif isinstance(entry, Dropped) or (stored and isinstance(entry, End)):
            self._open.drop(entry.id)
        elif isinstance(entry, End) and (start := entry.start or self._open.start_of(entry.id)) is not None:
            return _Ready(Kept(start, entry, self._guard), self._cursor)
        if not stored and not isinstance(entry, (Start, Dropped)):
            last = self._dead and number == self._files.segments()[-1]
            self._damage.add(self._files.segment(number), piece, last=last)
        return None

    def _interrupted(self) -> Iterator[_Ready]:
        """The calls that ended with their process."""
        heard_us = self._heard_us()
        waiting = {ready.record.id for ready in self._ready}
        for id in [id for id in self._open if id not in waiting]:
            start = self._open.start_of(id)
            if start is None:
                self._open.drop(id)
            else:
                yield _Ready(Kept(start, None, self._guard, heard_us), self._cursor)

    def _heard_us(self) -> int:
        """When the process wrote last."""
        try:
            path = self._files.segment(self._cursor.segment)
            return path.stat().st_mtime_ns // 1_000
        except OSError:
            return 0

    def _advance(self, position: Position) -> None:
        """First the position, then the removal: so a removed segment is always one that is stored."""
        if position <= self._done or self._lock is None:
            return
        former, self._done = self._done, position
        try:
            write_position(self._lock, position)
            if self._synced:
                sync(self._lock)
            if position.segment > former.segment:
                self._remove_stored(position.segment)
        except OSError as error:  # what stays is read once more by the next process, and known by its ids
            _logger.warning("the journal in %s keeps what is stored: %s", self._files.directory, error)

    def _remove_stored(self, before: int) -> None:
        """Remove the segments before one, but for the starts in them of calls that have not ended."""
        stored = [number for number in self._files.segments() if number < before]
        carried = self._open.begun_before(before)
        if carried and stored:
            self._open.carry(carried, stored.pop(), synced=self._synced)
        for number in stored:
            remove(self._files.segment(number))


def claim_backlog(directory: Path, name: str, *, synced: bool = False) -> Backlog | None:
    """The backlog of a process, unless another one stores it already."""
    lock = lock_file(directory / f"{name}.position")
    return None if lock is None else Backlog(directory, name, lock, synced=synced)
