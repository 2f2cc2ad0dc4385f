"""Only one at a time changes the cassettes of a folder, among threads and processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from tempfile import gettempdir

_LOCK_FILE_FLAGS = os.O_RDWR | os.O_CREAT

if sys.platform == "win32":
    import msvcrt
    import time

    @contextmanager
    def locked(folder: Path) -> Iterator[None]:
        """Hold the lock of a folder; not to be taken twice by one thread."""
        descriptor = os.open(_lock_file(folder), _LOCK_FILE_FLAGS)
        try:
            while True:
                try:
                    msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                    break
                except PermissionError:  # another one has it
                    time.sleep(0.02)
            yield
        finally:
            os.close(descriptor)  # which unlocks
else:
    import fcntl

    @contextmanager
    def locked(folder: Path) -> Iterator[None]:
        """Hold the lock of a folder; not to be taken twice by one thread.

        The folder itself is locked, so that no lock file is left in anyone's repository.
        """
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            except OSError:  # NFS locks no folders
                os.close(descriptor)
                descriptor = os.open(_lock_file(folder), _LOCK_FILE_FLAGS, 0o666)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing does not, while a forked child has it too
            os.close(descriptor)


def _lock_file(folder: Path) -> Path:
    """A file of the machine that stands for a folder."""
    name = blake2b(os.path.realpath(folder).lower().encode(), digest_size=16).hexdigest()
    return Path(gettempdir()) / f"recorder-{name}.lock"
