"""Calls that the store would not have: kept in the journal until somebody wants them tried again."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from .entries import Entry, frame_of
from .files import new_name, segment_path

_logger = logging.getLogger("recorder")


def keep_refused(directory: Path, name: str, entries: Iterable[Entry]) -> None:
    """Append what the journal said of a call to the file of such."""
    path = directory / f"{name}.refused"
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, b"".join(map(frame_of, entries)))
        finally:
            os.close(file)
    except OSError as error:
        _logger.warning("a call that the store refuses cannot be kept in %s: %s", path, error)


def refused_bytes(directory: Path) -> int:
    """How much is kept so."""
    return sum(path.stat().st_size for path in directory.glob("*.refused")) if directory.is_dir() else 0


def try_again(directory: Path) -> int:
    """Make segments of what was refused, as if ended processes had left them; how many files that were."""
    paths = list(directory.glob("*.refused"))
    for path in paths:
        path.rename(segment_path(directory, new_name(), 1))
    return len(paths)
