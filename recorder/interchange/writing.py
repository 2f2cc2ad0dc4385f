"""Files that appear whole or not at all, however long it takes to write them."""

from __future__ import annotations

import gzip
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from ..errors import CallFileError


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which takes its place at the end; nothing is left of it if that fails.

    What ends in `.gz` is compressed. A file that was there keeps its mode, and a link stays a link. A pipe or
    a device is written as it is.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        with _explaining(path), target.open("wb") as special:
            yield special
        return
    fresh = target.with_name(f".{target.name[:100]}.{os.urandom(4).hex()}.tmp")
    try:
        with _explaining(path):
            # The system applies the umask to a new file, as it does for any that a program makes.
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            with os.fdopen(os.open(fresh, flags, 0o666), "wb") as file:
                with _packed(file, path) as packed:
                    yield packed
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileNotFoundError):
                fresh.chmod(stat.S_IMODE(target.stat().st_mode))
            fresh.replace(target)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise


@contextmanager
def _packed(file: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    if path.suffix != ".gz":
        yield file
        return
    # Without a time in it, so that the same calls make the same file.
    with gzip.GzipFile("", "wb", 6, file, 0) as zipped:
        yield cast(IO[bytes], zipped)


@contextmanager
def _explaining(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CallFileError(f"{path} cannot be written: {error.strerror or error}") from error
