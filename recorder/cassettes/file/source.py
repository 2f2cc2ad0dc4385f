"""A cassette in a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from os import PathLike, fsencode, fspath
from pathlib import Path
from tempfile import mkdtemp

from msgspec import Struct

from ...errors import CassetteError
from ...exchange import Exchange
from ..source import Change, Recorded
from .blocks import PREAMBLE, Block, join_file, read_file, write_block
from .lock import locked
from .replace import replace_file

_LARGEST = 512 * 1024 * 1024


class _Content(Struct, frozen=True):
    """What a file held when it was read."""

    preamble: str
    blocks: list[Block]


class FileCassette:
    """A `CassetteSource` in a YAML file, one block a recording.

    Blocks whose recordings did not change keep their text, with all that was edited in it. Times are
    kept to the millisecond; headers that differ from one recording to the next are left out, and so
    are call ids, which belong to a store. Raises CassetteError for a file that cannot be used.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self._name = fspath(path)
        self._path = Path(path)
        self._compared: frozenset[bytes] = frozenset()
        if not _can_be(self._name):
            raise CassetteError(
                f"cassette {self._name!r} cannot be a file: its path holds signs that no path can"
            )

    @property
    def name(self) -> str:
        return self._name

    def load(self) -> tuple[Recorded, ...] | None:
        """The recordings in the order of the file; None where there is no file, or an empty one."""
        return _recordings(self._read())

    def load_lazily(self) -> tuple[Recorded, ...] | None:
        """The same, but long answers are read, and what is wrong with them known, when they are asked for."""
        return _recordings(self._read(lazily=True))

    def save(self, recordings: Sequence[Recorded]) -> None:
        """Replace the file by these recordings, as a whole or not at all."""
        with self._changing():
            self._write(self._path, recordings, self._read_leniently())

    def update(self, change: Change) -> None:
        """Load, change and save, while other threads and processes wait; `change` must not save itself."""
        with self._changing():
            content = self._read()
            self._write(self._path, change(_recordings(content)), content)

    def reject(self, recordings: Sequence[Recorded]) -> Path:
        """Write the recordings beside the file, as `<file>.rej`, or else to a temporary folder; says where."""
        path = self._path.with_name(f"{self._path.name}.rej")
        try:
            with self._changing():
                self._write(path, recordings, self._read_leniently())
        except CassetteError:
            path = self._temporary()
            self._write(path, recordings, None)
        return path

    def keep_headers(self, names: Collection[bytes]) -> None:
        """From now on write these request headers too, in lower case, since they are compared."""
        self._compared = frozenset(names)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Alone in the folder, which is made where it is missing."""
        folder = self._path.parent
        with ExitStack() as stack:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(folder))
            except OSError as error:
                raise self._unwritable(error) from error
            yield

    def _temporary(self) -> Path:
        """A path of the same name, or the beginning of it, where nothing is yet."""
        try:
            return Path(mkdtemp(prefix="recorder-")) / f"{self._path.name[:100]}.rej"
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> CassetteError:
        return CassetteError(
            f"cassette {self._name!r} cannot be written: {error.strerror or error}; "
            "check the folder's permissions and space"
        )

    def _read(self, *, lazily: bool = False) -> _Content | None:
        try:
            data = self._path.read_bytes() if (size := self._path.stat().st_size) <= _LARGEST else b""
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise CassetteError(
                f"cassette {self._name!r} cannot be read: {error.strerror or error}"
            ) from error
        if size > _LARGEST:
            raise CassetteError(f"cassette {self._name!r} is larger than {_LARGEST >> 20} MiB; split it")
        if not data or data.isspace():
            return None
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise CassetteError(
                f"{self._name}:{line}: this is no UTF-8: {error.reason}; get the file back from git"
            ) from error
        preamble, blocks = read_file(text, self._name, lazily=lazily)
        return _Content(preamble, blocks)

    def _read_leniently(self) -> _Content | None:
        """What is there now; nothing where that is broken, since it is to be replaced."""
        try:
            return self._read()
        except CassetteError:
            return None

    def _write(self, path: Path, recordings: Sequence[Recorded], before: _Content | None) -> None:
        texts: dict[tuple[Exchange, int, int], list[str]] = defaultdict(list)
        for block in reversed(before.blocks if before is not None else ()):
            texts[_identity(block.recorded)].append(block.text)
        blocks = [
            known.pop()
            if (known := texts.get(_identity(recorded)))
            else write_block(recorded, self._compared)
            for recorded in recordings
        ]
        if path == self._path and before is not None and blocks == [block.text for block in before.blocks]:
            return
        text = join_file(PREAMBLE if before is None else before.preamble, blocks)
        try:
            replace_file(path, text.encode())
        except OSError as error:
            raise self._unwritable(error) from error


def _recordings(content: _Content | None) -> tuple[Recorded, ...] | None:
    return None if content is None else tuple([block.recorded for block in content.blocks])


def _can_be(path: str) -> bool:
    try:
        return b"\0" not in fsencode(path)
    except UnicodeEncodeError:
        return False


def _identity(recorded: Recorded) -> tuple[Exchange, int, int]:
    return recorded.exchange, recorded.lane, recorded.credential
