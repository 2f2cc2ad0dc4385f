"""How records stand in a segment: each in a frame that tells where it ends and whether it is whole.

A frame is a mark, the length of the record, a checksum and the record. The mark is what reading goes on
from behind damage; the checksum is the record's CRC-32, which begins with the length.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

MARK: Final = b"\xf1RJ\x02"
"""Begins each frame; its last byte is the version of the format."""

HEAD_BYTES: Final = 12

_head = Struct(">4sII")
_PIECE_BYTES: Final = 5 * 1024


class Piece(NamedTuple):
    """Some bytes of a segment, and the record in them; None where they are damaged."""

    start: int
    end: int
    record: bytes | None


def framed(record: bytes) -> bytes:
    """A record in its frame."""
    size = len(record)
    return _head.pack(MARK, size, crc32(record, size) if size <= _PIECE_BYTES else _checksum(record)) + record


def _checksum(record: bytes) -> int:
    """The checksum of a long record, taken piece by piece: for more than 5 KB, zlib gives the interpreter away."""
    checksum = len(record)
    with memoryview(record) as view:
        for start in range(0, len(record), _PIECE_BYTES):
            checksum = crc32(view[start : start + _PIECE_BYTES], checksum)
    return checksum


def frame_bytes(data: bytes, start: int = 0) -> int | None:
    """How long the frame that begins there says it is; None where none begins."""
    if len(data) - start < HEAD_BYTES or not data.startswith(MARK, start):
        return None
    return HEAD_BYTES + int(_head.unpack_from(data, start)[1])


def is_torn(data: bytes) -> bool:
    """Whether this is the beginning of a frame and not the whole of one."""
    said = frame_bytes(data)
    return MARK.startswith(data[: len(MARK)]) and (said is None or said > len(data))


def pieces(data: bytes, *, final: bool) -> Iterator[Piece]:
    """Split bytes into frames and damage between them.

    What follows the last whole frame may still be on its way, unless this is `final`.
    """
    start = 0
    while start < len(data):
        record = _record(data, start)
        if record is not None:
            end = start + HEAD_BYTES + len(record)
        elif (found := _next(data, start + 1)) is not None:
            end = found
        elif final:
            end = len(data)
        else:
            return
        yield Piece(start, end, record)
        start = end


def _record(data: bytes, start: int) -> bytes | None:
    length = frame_bytes(data, start)
    if length is None or start + length > len(data):
        return None
    record = data[start + HEAD_BYTES : start + length]
    return record if crc32(record, len(record)) == _head.unpack_from(data, start)[2] else None


def _next(data: bytes, start: int) -> int | None:
    """Where the next whole frame begins."""
    while (start := data.find(MARK, start)) >= 0:
        if _record(data, start) is not None:
            return start
        start += 1
    return None
