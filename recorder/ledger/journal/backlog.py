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
from .files import Position, read_position, remove, segment_path, segments, sync, write_position
from .frames import HEAD_BYTES, Piece
from .kept import Kept
from .locks import is_locked, lock_file
from .refused import keep_refused
from .segment import read_frame, read_pieces

BATCH_BYTES: Final = 16 * 1024 * 1024
_RECENT: Final = 256
_SHORT: Final = 65_536

_logger = logging.getLogger("recorder")


class _Ready(NamedTuple):
    """A call to be stored, and how far the journal is done with then."""

    record: Kept
    after: Position


class _Frame(NamedTuple):
    """Where the start of a call stands that has not ended."""

    segment: int
    offset: int
    size: int


class Backlog:
    """Reads the segments of one process in order, and removes them when they are stored.

    Whoever has one holds the lock on its position. Calls that have started stay in the index `_open`, and
    in the segments, until they end, or until it is known that their process has.
    """

    def __init__(self, directory: Path, name: str, lock: int, *, synced: bool = False) -> None:
        self.name = name
        self._directory = directory
        self._lock: int | None = lock
        self._synced = synced
        self._guard = Guard()
        self._done = read_position(self._path("position"))
        self._cursor = Position(0, 0)
        self._open: dict[bytes, _Frame] = {}
        self._recent: dict[bytes, Start] = {}
        self._ready: deque[_Ready] = deque()
        self._damage = Damage(self._path("corrupt"))
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
        numbers = segments(self._directory, self.name)
        if not numbers:
            return Position(0, 0)
        try:
            path = self._segment(numbers[-1])
            return Position(numbers[-1], path.stat().st_size)
        except OSError:
            return Position(0, 0)

    @property
    def open(self) -> bool:
        """Whether calls have started that have not ended."""
        return bool(self._open)

    def look(self) -> None:
        """Find out whether the process has ended; what it wrote last is there to be read then."""
        self._dead = self._dead or not is_locked(self._path("live"))

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
            self._open.pop(record.id, None)
        self._advance(after if self._ready else max(after, self._cursor))

    def keep_aside(self) -> None:
        """Write the oldest call where nobody takes it for one that is to be stored, but who asks for it."""
        record = self._ready[0].record
        entries = (record.start, record.end)
        keep_refused(self._directory, self.name, [entry for entry in entries if entry is not None])

    def close(self, *, finished: bool = False) -> None:
        """Unlock; where it is finished, leave nothing behind but what was damaged."""
        if self._lock is None:
            return
        if finished and not self._open and not self._ready:
            for number in segments(self._directory, self.name):
                remove(self._segment(number))
            for kind in ("carried", "live", "position"):
                remove(self._path(kind))
        os.close(self._lock)
        self._lock = None

    def _read_on(self) -> Iterator[_Ready]:
        """Read from the cursor on, which then stands behind what was yielded."""
        while True:
            number, offset = self._cursor
            later = [each for each in segments(self._directory, self.name) if each > number]
            path = self._segment(number)
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
            self._open[entry.id] = _Frame(number, piece.start, piece.end - piece.start)
            if not stored and len(self._recent) < _RECENT and len(entry.request.body) < _SHORT:
                self._recent[entry.id] = entry
        elif isinstance(entry, Dropped) or (stored and isinstance(entry, End)):
            self._open.pop(entry.id, None)
            self._recent.pop(entry.id, None)
        elif isinstance(entry, End) and (start := entry.start or self._start_of(entry.id)) is not None:
            return _Ready(Kept(start, entry, self._guard), self._cursor)
        if not stored and not isinstance(entry, (Start, Dropped)):
            last = self._dead and number == segments(self._directory, self.name)[-1]
            self._damage.add(self._segment(number), piece, last=last)
        return None

    def _start_of(self, id: bytes) -> Start | None:
        """The start of a call: most are near their ends, the others are read once more."""
        if (recent := self._recent.pop(id, None)) is not None:
            return recent
        frame = self._open.get(id)
        if frame is None:
            return None
        try:
            found = decode(self._frame(frame)[HEAD_BYTES:])
        except (OSError, msgspec.MsgspecError, ValueError):
            return None
        return found if isinstance(found, Start) else None

    def _interrupted(self) -> Iterator[_Ready]:
        """The calls that ended with their process."""
        heard_us = self._heard_us()
        waiting = {ready.record.id for ready in self._ready}
        for id in [id for id in self._open if id not in waiting]:
            start = self._start_of(id)
            if start is None:
                del self._open[id]
            else:
                yield _Ready(Kept(start, None, self._guard, heard_us), self._cursor)

    def _heard_us(self) -> int:
        """When the process wrote last."""
        try:
            path = self._segment(self._cursor.segment)
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
            _logger.warning("the journal in %s keeps what is stored: %s", self._directory, error)

    def _remove_stored(self, before: int) -> None:
        """Remove the segments before one, but for the starts in them of calls that have not ended."""
        stored = [number for number in segments(self._directory, self.name) if number < before]
        kept = {id: frame for id, frame in self._open.items() if frame.segment < before}
        if kept and stored:
            self._carry(kept, stored.pop())
        for number in stored:
            remove(self._segment(number))

    def _carry(self, kept: dict[bytes, _Frame], number: int) -> None:
        """Rewrite a segment so that it has only these frames."""
        path = self._segment(number)
        carried: dict[bytes, _Frame] = {}
        fresh = self._path("carried")
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        offset = 0
        with open(file, "wb") as target:
            for id, frame in kept.items():
                target.write(self._frame(frame))
                carried[id] = _Frame(number, offset, frame.size)
                offset += frame.size
            target.flush()
            if self._synced:
                sync(file)
        os.replace(fresh, path)
        self._open.update(carried)

    def _frame(self, frame: _Frame) -> bytes:
        return read_frame(self._segment(frame.segment), frame.offset, frame.size)

    def _segment(self, number: int) -> Path:
        return segment_path(self._directory, self.name, number)

    def _path(self, kind: str) -> Path:
        return self._directory / f"{self.name}.{kind}"


def claim_backlog(directory: Path, name: str, *, synced: bool = False) -> Backlog | None:
    """The backlog of a process, unless another one stores it already."""
    lock = lock_file(directory / f"{name}.position")
    return None if lock is None else Backlog(directory, name, lock, synced=synced)
