"""Replace a file as a whole or not at all."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Let a file have this content, whatever happens meanwhile; its mode stays, and a link stays a link."""
    path = Path(os.path.realpath(path))
    fresh = path.with_name(f".{path.name[:100]}.{os.urandom(4).hex()}.tmp")
    # The system applies the umask to a new file, as it does for any that a program makes.
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            fresh.chmod(stat.S_IMODE(path.stat().st_mode))
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
