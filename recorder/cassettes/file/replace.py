"""Replace a file as a whole or not at all."""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import suppress
from pathlib import Path

_STALE_S = 300


def replace_file(path: Path, data: bytes) -> None:
    """Let a file have this content, whatever happens meanwhile; its mode stays, and a link stays a link."""
    path = Path(os.path.realpath(path))
    beginning = f".{path.name[:100]}."
    fresh = path.with_name(f"{beginning}{os.urandom(4).hex()}.tmp")
    _remove_stale(path.parent, beginning)
    try:
        # The system applies the umask to a new file, as it does for any that a program makes.
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            fresh.chmod(stat.S_IMODE(path.stat().st_mode))
        fresh.replace(path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise


def _remove_stale(folder: Path, beginning: str) -> None:
    """Take away what was left of this file by processes that were killed while they wrote it."""
    ours = re.compile(rf"{re.escape(beginning)}[0-9a-f]{{8}}\.tmp")
    before_s = time.time() - _STALE_S
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if ours.fullmatch(entry.name) and entry.stat(follow_symlinks=False).st_mtime < before_s:
                os.unlink(entry.path)
