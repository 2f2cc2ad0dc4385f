"""The cassettes that the page shows: those of the store, and the files below one folder, which are only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from ..errors import CassetteError, CassetteMissing
from ..interchange import NoCassette
from ..interchange.cassette_files import OURS, Opened, files_under, open_file
from ..interchange.contents import Contents, read_entries, summarize
from ..interchange.formats import SUFFIXES
from ..ledger.rows import storable

if TYPE_CHECKING:
    from ..ledger import Store

_LARGEST: Final = 64 * 1024 * 1024
_REMEMBERED: Final = 2_000


class Reference(Struct, frozen=True):
    """One cassette, as an address names it: `store:NAME`, or `file:PATH` below the folder."""

    where: Literal["store", "file"]
    name: str

    def __str__(self) -> str:
        return f"{self.where}:{self.name}"

    @property
    def bare(self) -> str:
        """The name that a file and a cassette of the store share: that of a file has no suffix."""
        name = self.name
        while self.where == "file" and name.lower().endswith(SUFFIXES):
            name = name.rpartition(".")[0]
        return name


class FileSummary(Struct, frozen=True):
    """A file in a few figures, or in one sentence why it has none."""

    contents: Contents | None
    format: str = ""
    problem: str = ""


def read_reference(text: str) -> Reference | None:
    """What an address names; None for what names nothing."""
    where, _, name = storable(text).partition(":")
    if not name or where not in ("store", "file"):
        return None
    return Reference("store" if where == "store" else "file", name)


class Shelf:
    """Cassettes of a store and of a folder; without a folder there are no files."""

    def __init__(self, store: Store, folder: Path | None = None) -> None:
        self.folder = folder
        self._store = store
        self._read: dict[str, tuple[tuple[int, int], FileSummary | None]] = {}

    def files(self) -> list[Reference]:
        """The files that may be cassettes, by name."""
        return [] if self.folder is None else list(_names(self.folder))

    def open(self, wanted: Reference) -> Opened:
        """The cassette that a reference names; raises CassetteMissing, and CassetteError for what cannot be read."""
        if wanted.where == "file":
            return self._open_file(wanted.name)
        recordings = self._store.cassette(wanted.name).load()
        if recordings is None:
            raise CassetteMissing(f"there is no cassette {wanted.name!r} in this store")
        return Opened(wanted.name, OURS, recordings)

    def summary(self, file: Reference) -> FileSummary | None:
        """A file in a few figures, read anew only where it changed; None for one that is no cassette."""
        try:
            status = self._path(file.name).stat()
        except (OSError, CassetteError) as error:
            return FileSummary(None, problem=_told(error))
        version = (status.st_mtime_ns, status.st_size)
        known = self._read.get(file.name)
        if known is None or known[0] != version:
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            known = self._read[file.name] = (version, self._summarize(file.name))
        return known[1]

    def _summarize(self, name: str) -> FileSummary | None:
        try:
            opened = self._open_file(name)
        except NoCassette:
            return None
        except CassetteError as error:
            return FileSummary(None, problem=str(error))
        return FileSummary(summarize(read_entries(opened.recordings), opened.size), opened.format)

    def _open_file(self, name: str) -> Opened:
        path = self._path(name)
        if _size(path) > _LARGEST:
            run = f"recorder cassette show {quote(str(path))}"
            raise CassetteError(f"{name} is too large for this page; run: {run}")
        try:
            return open_file(path)
        except NoCassette as error:
            raise NoCassette(str(error).replace(str(path), name)) from error
        except CassetteError as error:
            raise CassetteError(str(error).replace(str(path), name)) from error

    def _path(self, name: str) -> Path:
        """The file of that name, unless it lies elsewhere, be it by a link. Raises CassetteMissing."""
        missing = CassetteMissing(f"there is no cassette file {name!r} here")
        if self.folder is None or not name.lower().endswith(SUFFIXES):
            raise missing
        try:
            folder = self.folder.resolve(strict=True)
            path = (folder / name).resolve(strict=True)
            inside = path.is_relative_to(folder) and path.is_file()
        except (OSError, ValueError, RuntimeError):
            raise missing from None
        if not inside:
            raise missing
        return path


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # it went just now, which who reads it will tell
        return 0


def _names(folder: Path) -> Iterator[Reference]:
    """What is a file in the folder itself; names that no address can carry are left out."""
    here = folder.resolve()
    for path in files_under(here):
        name = path.relative_to(here).as_posix()
        if _is_text(name) and _lies_below(here, path):
            yield Reference("file", name)


def _lies_below(folder: Path, path: Path) -> bool:
    try:
        return path.is_file() and path.resolve().is_relative_to(folder)
    except (OSError, RuntimeError):  # behind a folder that nobody may enter, or gone meanwhile
        return False


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _told(error: OSError | CassetteError) -> str:
    return str(error) if isinstance(error, CassetteError) else error.strerror or "it cannot be read"
