"""Where a cassette lies that a command names: in a file, ours or somebody else's, or in the store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CassetteError
from ..ledger.url import shown
from .calls import counted
from .console import say
from .text import styled

if TYPE_CHECKING:
    from ..cassettes import CassetteSource, Recorded

SUFFIXES = (".yaml", ".yml", ".json", ".har", ".gz")
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
        """Bytes of the file, where there is one."""
        return None if self.path is None else self.path.stat().st_size


def open_cassette(name: str, url: str) -> Opened:
    """The cassette that a user means: a file of that path, else one of the store by that name.

    Raises CassetteError where there is neither, or where it cannot be read.
    """
    path = Path(name)
    if path.is_file():
        return open_file(path)
    if path.is_dir():
        raise CassetteError(
            f"{name} is a directory; name a file in it, `recorder cassette list {name}` shows them"
        )
    recordings = store_source(name, url).load()
    if recordings is None:
        raise CassetteError(
            f"there is no file {name!r}, and no cassette of that name in {shown(url)}; "
            "`recorder cassette list` shows them"
        )
    return Opened(name, OURS, recordings)


def open_file(path: Path) -> Opened:
    """A cassette file in any format that can be read; raises CassetteError."""
    if is_ours(path):
        return Opened(str(path), OURS, file_source(path).load() or (), path)
    from ..cassettes import Recorded
    from ..interchange import import_file

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


def file_source(path: Path) -> CassetteSource:
    """A cassette file of ours, which need not exist yet."""
    from ..cassettes.file import FileCassette  # brings a YAML library along

    return FileCassette(path)


def store_source(name: str, url: str) -> CassetteSource:
    """A cassette of the store, which need not exist yet."""
    from ..ledger import StoreCassette

    return StoreCassette(url, name)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raise CassetteError where a file is in the way, or a directory."""
    if path.is_dir():
        raise CassetteError(f"{path} is a directory; name the file to write in it")
    if path.exists() and not overwrite:
        raise CassetteError(f"{path} exists already; --overwrite replaces it")


def tell_notes(opened: Opened) -> None:
    """Say what of a foreign file could not be read exactly."""
    if opened.notes:
        remarks = counted(len(opened.notes), "remark")
        say(styled(f"{opened.name}: {remarks} on what could not be read; {opened.notes[0]}", "yellow"))
