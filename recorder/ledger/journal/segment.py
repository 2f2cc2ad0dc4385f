"""One segment, read piece by piece."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .frames import HEAD_BYTES, Piece, frame_bytes, pieces

_WINDOW_BYTES: Final = 1024 * 1024


def read_pieces(path: Path, offset: int, *, final: bool) -> Iterator[Piece]:
    """Yield what stands in a segment from there on; a removed one has nothing.

    Only a `final` one, to which nothing is appended any more, is damaged where its last frame is not whole.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        yield from _pieces(file, offset, final=final)
    finally:
        os.close(file)


def read_frame(path: Path, offset: int, size: int) -> bytes:
    """The bytes of one frame. Raises OSError where it is gone."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(file, size, offset)
    finally:
        os.close(file)


def _pieces(file: int, offset: int, *, final: bool) -> Iterator[Piece]:
    size = os.fstat(file).st_size
    window = _WINDOW_BYTES
    while offset < size:
        data = os.pread(file, window, offset)
        last = offset + len(data) >= size
        read = 0
        for piece in pieces(data, final=final and last):
            if piece.record is None and piece.end == len(data) and not last:
                break  # more of it stands behind this window
            read = piece.end
            yield Piece(offset + piece.start, offset + piece.end, piece.record)
        if not read and last:
            return
        # What was not read begins again in the next window, which is large enough for its frame.
        rest = frame_bytes(data, read)
        window = max(_WINDOW_BYTES, rest or 0) if read else _wider(window, rest, size - offset)
        offset += read


def _wider(window: int, wanted: int | None, left: int) -> int:
    """A window for what the last one was too small for: a frame, or damage of any length."""
    return min(max(wanted or 0, 2 * window, HEAD_BYTES), left)
