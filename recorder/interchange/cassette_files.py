"""Cassette files in any format that can be read: which ones a folder has, and what is in one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..cassettes import Recorded
from ..cassettes.file import FileCassette
from ..errors import CassetteError
from .formats import SUFFIXES, import_file

OURS = "recorder"

_SIGN = b"recorder_cassette:"
_HEAD = 65_536


@dataclass(frozen=True, slots=True)
class Opened:
    """A cassette and its recordings; `path` is that of its file, None where the store has it."""

    name: str
    format: str
    recordings: tuple[Recorded, ...]
    path: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int | None:
        """Bytes of the file, where there is one still."""
        try:
            return None if self.path is None else self.path.stat().st_size
        except OSError:
            return None


def open_file(path: Path) -> Opened:
    """A cassette file in any format that can be read; raises CassetteError."""
    if is_ours(path):
        return Opened(str(path), OURS, FileCassette(path).load() or (), path)
    read = import_file(path)
    return Opened(
        str(path),
        read.format,
        tuple(Recorded(exchange, "") for exchange in read.exchanges),
        path,
        tuple(map(str, read.notes)),
    )


def is_ours(path: Path) -> bool:
    """Whether a file says of itself that it is a cassette of recorder."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise CassetteError(f"{path} cannot be read: {error.strerror or error}") from error
    return head.startswith((_SIGN, b"\xef\xbb\xbf" + _SIGN)) or b"\n" + _SIGN in head


def files_under(folder: Path) -> Iterator[Path]:
    """The files that may be cassettes, in order of name; hidden ones left out."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                yield Path(here, name)
