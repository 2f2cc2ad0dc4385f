"""Bytes of a journal that make no call: kept where somebody may look at them, counted and reported."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

from .entries import decode
from .frames import HEAD_BYTES, Piece, is_torn
from .segment import read_frame

_logger = logging.getLogger("recorder")


class Damage:
    """What was found damaged in the segments of one process, whose bytes go into the file `kept`."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._orphans = 0
        self._regions = 0

    @property
    def calls(self) -> int:
        """How many calls that cost: damage to a start leaves an end without one, which does not count again.

        Damage across several records counts once, for nobody knows what they were.
        """
        return max(self._orphans, self._regions)

    def add(self, path: Path, piece: Piece, *, last: bool) -> None:
        """Keep a piece of a segment aside; in the `last` one of a dead process, the last record may be half a one.

        The call of that had not gone on, so nothing is lost.
        """
        torn = False
        try:
            data = read_frame(path, piece.start, piece.end - piece.start)
            torn = last and piece.end == path.stat().st_size and is_torn(data) and not _is_whole(data)
            _append(self._kept, data)
        except OSError as error:
            _logger.warning("damaged bytes of a journal cannot be kept in %s: %s", self._kept, error)
        self._orphans += piece.record is not None
        self._regions += piece.record is None and not torn
        _logger.log(
            logging.INFO if torn else logging.WARNING,
            "%d bytes of the journal %s make no call; they are kept in %s",
            piece.end - piece.start,
            path,
            self._kept.name,
        )


def _is_whole(frame: bytes) -> bool:
    """Whether all of a record is there, and its length alone was damaged."""
    try:
        decode(frame[HEAD_BYTES:])
    except (msgspec.MsgspecError, ValueError):
        return False
    return True


def _append(path: Path, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, data)
    finally:
        os.close(file)
