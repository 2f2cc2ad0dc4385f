"""The files of a journal: each process that writes has a name, and they all begin with it.

`NAME.live` is locked by that process as long as it lives. `NAME.position` is locked by the one who carries
its records into the store, and says how far that went. `NAME.0000000001.segment` hold the records, in the
order of their numbers. `NAME.corrupt` keeps what could not be read, `NAME.refused` what the store would not have.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

_SEGMENT = re.compile(r"(.+)\.(\d{10})\.segment\Z")
_OF_A_PROCESS = re.compile(r"(.+?)\.(?:live|position|carried|\d{10}\.segment)\Z")

_CHECKED: Final = 28
"""How much of a position its checksum covers."""


class Position(NamedTuple):
    """A place in the segments of one process."""

    segment: int
    offset: int


def new_name() -> str:
    """A name that no other process has, now or later."""
    return f"{time.time_ns() // 1_000_000:012x}-{os.getpid()}-{os.urandom(4).hex()}"


def process_id(name: str) -> int | None:
    """The process id in a name."""
    part = name.split("-")[1:2]
    return int(part[0]) if part and part[0].isdigit() else None


def segment_path(directory: Path, name: str, number: int) -> Path:
    """The file of one segment."""
    return directory / f"{name}.{number:010d}.segment"


def segments(directory: Path, name: str) -> list[int]:
    """The numbers of the segments that there are, ascending."""
    found = (_SEGMENT.match(each) for each in _listed(directory))
    return sorted(int(match[2]) for match in found if match and match[1] == name)


def names(directory: Path) -> list[str]:
    """The names of all that left files here, oldest first."""
    found = (_OF_A_PROCESS.match(each) for each in _listed(directory))
    return sorted({match[1] for match in found if match})


def bytes_in(directory: Path, name: str | None = None) -> tuple[int, int]:
    """How much the segments of one process take, and those of all others."""
    own = others = 0
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if (match := _SEGMENT.match(entry.name)) is None:
                    continue
                if match[1] == name:
                    own += _size(entry)
                else:
                    others += _size(entry)
    except OSError:
        pass
    return own, others


@dataclass(frozen=True, slots=True)
class ProcessFiles:
    """The files of one process in a journal."""

    directory: Path
    name: str

    def path(self, kind: str) -> Path:
        """The file of a kind of which a process has one."""
        return self.directory / f"{self.name}.{kind}"

    def segment(self, number: int) -> Path:
        """The file of one segment."""
        return segment_path(self.directory, self.name, number)

    def segments(self) -> list[int]:
        """The numbers of the segments that there are, ascending."""
        return segments(self.directory, self.name)


def read_position(path: Path) -> Position:
    """How far the records of a process are stored; the beginning where that is not known.

    Then what is stored is read once more, and known by its ids.
    """
    try:
        text = path.read_bytes()
        segment, offset, checksum = text.split()
        if int(checksum, 16) == crc32(text[:_CHECKED]):
            return Position(int(segment), int(offset))
    except (OSError, ValueError):
        pass
    return Position(0, 0)


def write_position(descriptor: int, position: Position) -> None:
    """Note how far the records of a process are stored."""
    text = b"%010d %016d " % position
    os.pwrite(descriptor, b"%s%08x\n" % (text, crc32(text)), 0)


def sync(descriptor: int) -> None:
    """Wait until what was written is on the disk itself; macOS has no call for the data alone."""
    getattr(os, "fdatasync", os.fsync)(descriptor)


def remove(path: Path) -> None:
    """Remove a file, which may be gone already."""
    try:
        path.unlink()
    except FileNotFoundError:
        pass


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:  # removed in between
        return 0


def _listed(directory: Path) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:  # it is not there yet, or not ours to see
        return []
