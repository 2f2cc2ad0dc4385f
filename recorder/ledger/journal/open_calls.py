"""Calls that have started and not ended, of one process: where in its segments their starts stand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from .entries import Start, decode
from .files import ProcessFiles, sync
from .frames import HEAD_BYTES, Piece
from .segment import read_frame

_RECENT: Final = 256
_SHORT: Final = 65_536


class _Frame(NamedTuple):
    """Where a start stands."""

    segment: int
    offset: int
    size: int


class OpenCalls:
    """An index of starts, which stay in the segments; the latest of those to be stored are in memory as well."""

    def __init__(self, files: ProcessFiles) -> None:
        self._files = files
        self._frames: dict[bytes, _Frame] = {}
        self._recent: dict[bytes, Start] = {}

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._frames)

    def add(self, start: Start, segment: int, piece: Piece, *, stored: bool) -> None:
        """A call starts in this piece of a segment, whose records up to there may be `stored` already."""
        self._frames[start.id] = _Frame(segment, piece.start, piece.end - piece.start)
        if not stored and len(self._recent) < _RECENT and len(start.request.body) < _SHORT:
            self._recent[start.id] = start

    def drop(self, id: bytes) -> None:
        """Nobody wants to know of a call any more."""
        self._frames.pop(id, None)
        self._recent.pop(id, None)

    def settle(self, id: bytes) -> None:
        """A call that was asked for by `start_of` is stored: its segment may go."""
        self._frames.pop(id, None)

    def start_of(self, id: bytes) -> Start | None:
        """The start of a call: most are near their ends, the others are read once more."""
        if (recent := self._recent.pop(id, None)) is not None:
            return recent
        frame = self._frames.get(id)
        if frame is None:
            return None
        try:
            found = decode(self._read(frame)[HEAD_BYTES:])
        except (OSError, msgspec.MsgspecError, ValueError):
            return None
        return found if isinstance(found, Start) else None

    def begun_before(self, segment: int) -> list[bytes]:
        """The calls whose starts stand in segments before one."""
        return [id for id, frame in self._frames.items() if frame.segment < segment]

    def carry(self, ids: list[bytes], segment: int, *, synced: bool) -> None:
        """Rewrite a segment so that it has only the starts of these calls."""
        carried: dict[bytes, _Frame] = {}
        fresh = self._files.path("carried")
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        offset = 0
        with open(file, "wb") as target:
            for id in ids:
                frame = self._frames[id]
                target.write(self._read(frame))
                carried[id] = _Frame(segment, offset, frame.size)
                offset += frame.size
            target.flush()
            if synced:
                sync(file)
        os.replace(fresh, self._files.segment(segment))
        self._frames.update(carried)

    def _read(self, frame: _Frame) -> bytes:
        return read_frame(self._files.segment(frame.segment), frame.offset, frame.size)
