"""The journal's condition: what waits in it, since when, and whose it is."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from .entries import Dropped, End, Start, decode
from .files import Position, ProcessFiles, names, process_id, read_position
from .frames import Piece
from .locks import is_locked
from .refused import refused_bytes
from .segment import read_pieces


class Owner(Struct, frozen=True):
    """One process that wrote: what it left that is not stored; `open` calls have started and not ended."""

    name: str
    pid: int | None
    alive: bool
    segments: int
    records: int
    open: int
    bytes: int
    oldest_us: int | None
    corrupt: int


class Condition(Struct, frozen=True):
    """All owners together; `corrupt_bytes` were kept aside, so were `refused_bytes` of calls."""

    directory: str
    records: int
    bytes: int
    oldest_us: int | None
    corrupt: int
    corrupt_bytes: int
    refused_bytes: int
    owners: tuple[Owner, ...]


def condition(directory: Path) -> Condition:
    """Read the journal without changing it."""
    owners = tuple(_owner(directory, name) for name in names(directory))
    return Condition(
        str(directory),
        sum(owner.records + (0 if owner.alive else owner.open) for owner in owners),
        sum(owner.bytes for owner in owners),
        min((owner.oldest_us for owner in owners if owner.oldest_us is not None), default=None),
        sum(owner.corrupt for owner in owners),
        sum(path.stat().st_size for path in directory.glob("*.corrupt")) if directory.is_dir() else 0,
        refused_bytes(directory),
        owners,
    )


class _Found:
    """What the segments of one process hold that is not stored."""

    def __init__(self) -> None:
        self.bytes = 0
        self.corrupt = 0
        self.waiting: list[bytes] = []
        self.open: dict[bytes, None] = {}

    def add(self, piece: Piece, *, stored: bool) -> None:
        """Count a piece; calls that have started are open also where their starts are done with."""
        self.bytes += 0 if stored else piece.end - piece.start
        entry = _decoded(piece.record)
        if isinstance(entry, Start):
            self.open[entry.id] = None
        elif isinstance(entry, (End, Dropped)):
            self.open.pop(entry.id, None)
            if isinstance(entry, End) and not stored:
                self.waiting.append(entry.id)
        elif not stored:
            self.corrupt += 1


def _owner(directory: Path, name: str) -> Owner:
    files = ProcessFiles(directory, name)
    alive = is_locked(files.path("live"))
    done = read_position(files.path("position"))
    numbers, found = files.segments(), _Found()
    for number in numbers:
        final = not alive or number != numbers[-1]
        for piece in read_pieces(files.segment(number), 0, final=final):
            found.add(piece, stored=Position(number, piece.end) <= done)
    oldest = min((*found.waiting, *(() if alive else found.open)), default=None)
    return Owner(
        name,
        process_id(name),
        alive,
        len(numbers),
        len(found.waiting),
        len(found.open),
        found.bytes,
        None if oldest is None else _made_us(oldest),
        found.corrupt,
    )


def _decoded(record: bytes | None) -> Start | End | Dropped | None:
    try:
        return None if record is None else decode(record)
    except (msgspec.MsgspecError, ValueError):
        return None


def _made_us(id: bytes) -> int:
    """When a call began, as its id says to the millisecond (RFC 9562)."""
    return int.from_bytes(id[:6], "big") * 1_000
