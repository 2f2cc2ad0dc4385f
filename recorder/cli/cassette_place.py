"""Where a cassette lies that a command names: in a file, ours or somebody else's, or in the store."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CassetteError
from ..ledger.url import shown
from .calls import counted
from .console import say
from .text import styled

if TYPE_CHECKING:
    from ..cassettes import CassetteSource
    from ..interchange.cassette_files import Opened

OURS = "recorder"
"""The name of our own format; `interchange.cassette_files`, which gives it, is loaded where a file is read."""


def open_cassette(name: str, url: str) -> Opened:
    """The cassette that a user means: a file of that path, else one of the store by that name.

    Raises CassetteError where there is neither, or where it cannot be read.
    """
    path = Path(name)
    if path.is_file():
        return open_file(path)
    if path.is_dir():
        raise CassetteError(
            f"{name} is a directory; name a file in it, `recorder cassette list {shlex.quote(name)}` shows them"
        )
    return open_stored(name, url)


def open_stored(name: str, url: str) -> Opened:
    """A cassette of the store; raises CassetteError where there is none of that name."""
    from ..interchange.cassette_files import Opened

    recordings = store_source(name, url).load()
    if recordings is None:
        raise CassetteError(
            f"there is no file {name!r}, and no cassette of that name in {shown(url)}; "
            "`recorder cassette list` shows them"
        )
    return Opened(name, OURS, recordings)


def open_file(path: Path) -> Opened:
    """A cassette file in any format that can be read; raises CassetteError."""
    from ..interchange.cassette_files import open_file

    return open_file(path)


def is_ours(path: Path) -> bool:
    """Whether a file says of itself that it is a cassette of recorder."""
    from ..interchange.cassette_files import is_ours

    return is_ours(path)


def files_under(folder: Path) -> Iterator[Path]:
    """The files that may be cassettes, in order of name; hidden ones left out."""
    from ..interchange.cassette_files import files_under

    return files_under(folder)


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
