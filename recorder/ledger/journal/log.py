"""The log: where this process appends its records, segment after segment."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Final

from .entries import End, Entry, encode
from .files import Position, bytes_in, new_name, remove, segment_path, sync
from .frames import framed
from .locks import lock_file
from .writing import Writing

SEGMENT_BYTES: Final = 4 * 1024 * 1024
_TRIES = 5


class Log:
    """Appends frames, each with one write; opened with the first of them.

    With `synced` each is on the disk itself when `append` returns. `limit_bytes` bounds the whole journal,
    also what other processes left in it. `ends` counts the ends of calls among what was appended.
    """

    def __init__(self, directory: Path, limit_bytes: int, *, synced: bool = False) -> None:
        self.directory = directory
        self.name: str | None = None
        self.number = 0
        self.ends = 0
        self._limit_bytes = limit_bytes
        self._synced = synced
        self._appended = 0
        self._stored = 0
        self._bases: dict[int, int] = {}
        self._others = 0
        self._size = 0
        self._live: int | None = None
        self._file: int | None = None
        self._writing = False
        self._disk = Writing()
        # Reentrant: a signal or the garbage collector may end a capture inside any of these methods.
        self._lock = threading.RLock()

    @property
    def end(self) -> Position:
        """Where the next record will stand."""
        with self._lock:
            return Position(self.number, self._size)

    def settle(self, position: Position) -> None:
        """All up to there is stored."""
        with self._lock:
            for number in [number for number in self._bases if number < position.segment]:
                del self._bases[number]
            base = self._bases.get(position.segment, 0)
            self._stored = max(self._stored, base + position.offset)

    def append(self, entry: Entry, *, bounded: bool = True) -> bool:
        """Append an entry; false where there is no room for it, unless it is not `bounded`.

        Raises OSError where that cannot be done; the log is then as it was. Raises one of UNWRITABLE
        for what cannot be written.
        """
        frame = framed(encode(entry))
        size = len(frame)
        if bounded and self._appended - self._stored + self._others + size > self._limit_bytes:
            return False
        with self._lock:
            file = self._file
            if file is None or (self._size >= SEGMENT_BYTES and not self._writing):
                file = self._ready()
            before, self._writing = self._writing, True
            try:
                written = self._disk.write(file, frame)
            finally:
                self._writing = before
            if written != size:
                os.ftruncate(file, os.lseek(file, 0, os.SEEK_END) - written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.directory))
            self._size += size
            self._appended += size
            self.ends += type(entry) is End
            if self._synced:
                sync(file)
        return True

    def close(self, *, remove_lock: bool = False) -> Position:
        """Give up the name, whose segments are then anybody's, and say where they end.

        What is appended later gets another name.
        """
        with self._lock:
            end = self.end
            if remove_lock and self.name is not None:
                remove(self.directory / f"{self.name}.live")
            self.release()
            return end

    def begin_anew(self) -> None:
        """Take another name: somebody removed the files of this one."""
        with self._lock:
            self.release()
            self.name = None
            self._stored = self._appended
            self._bases.clear()

    def release(self) -> None:
        """Close the descriptors only, as a forked child must: the lock stays with the parent."""
        for descriptor in (self._file, self._live):
            if descriptor is not None:
                os.close(descriptor)
        self._file = self._live = None

    def _ready(self) -> int:
        """A file to append to; nobody asks for another one while a write is under way further up."""
        if self.name is None or self._live is None:
            self._claim()
        self._begin_segment()
        assert self._file is not None
        return self._file

    def _claim(self) -> None:
        for _ in range(_TRIES):
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            name = new_name()
            try:
                live = lock_file(self.directory / f"{name}.live")
            except FileNotFoundError:  # another process was done with the directory and removed it
                continue
            if live is not None:
                self.name, self._live, self.number = name, live, 0
                return
        raise OSError(errno.EAGAIN, "no lock can be had", str(self.directory))

    def _begin_segment(self) -> None:
        assert self.name is not None
        path = segment_path(self.directory, self.name, self.number + 1)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        former, self._file = self._file, os.open(path, flags, 0o600)
        self.number += 1
        self._size = 0
        self._bases[self.number] = self._appended
        if former is not None:
            os.close(former)
        own, self._others = bytes_in(self.directory, self.name)
        self._stored = max(self._stored, self._appended - own)
