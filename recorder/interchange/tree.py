"""Imports a file, or a whole directory, of other people's recordings into cassettes of ours."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from ..cassettes import CassetteSource, Recorded
from ..errors import CassetteError
from ..redact import Redactor
from ..settings import RedactionRules
from .formats import SUFFIXES, NoCassette, import_file
from .imported import Imported, Note
from .redaction import without_secrets
from .summary import Summary

Progress = Callable[[int, int, str], None]
"""Told before each file: how many are done, how many there are, and its name."""
Target = Callable[[Path], CassetteSource]


def import_tree(
    root: str | os.PathLike[str],
    to: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
    overwrite: bool = False,
    redact: RedactionRules | bool = True,
    target: Target | None = None,
) -> Summary:
    """Write a cassette under `to` for every file of recordings under `root`, with the same relative name.

    What is no cassette, or cannot be read, is named in the summary and stops nothing. An existing file is
    only replaced with `overwrite`. `redact` as in Recorder. `target` makes the place that a path is saved
    to, by default a cassette file. Where `root` is one file, `to` is the file to write, or a directory for it.

    Raises CassetteError where there is no `root`.
    """
    root, to = Path(root), Path(to)
    files = _files(root)
    importer = _Importer(Redactor(RedactionRules() if redact is True else redact or None), target or _file)
    paths = _targets(root, to, files)
    for done, (name, path) in enumerate(files.items()):
        if progress is not None:
            progress(done, len(files), name)
        importer.take(name, path, paths[name], overwrite)
    if progress is not None:
        progress(len(files), len(files), "")
    return importer.summary()


class _Importer:
    """Takes file after file, and counts."""

    def __init__(self, redactor: Redactor, target: Target) -> None:
        self._redactor = redactor
        self._target = target
        self._imported: dict[str, str] = {}
        self._exchanges = self._redacted = 0
        self._formats: Counter[str] = Counter()
        self._existing: list[str] = []
        self._others: list[tuple[str, str]] = []
        self._failed: list[tuple[str, str]] = []
        self._notes: list[Note] = []

    def take(self, name: str, path: Path, written: Path, overwrite: bool) -> None:
        try:
            read = import_file(path, name)
            if written.exists() and not overwrite:
                self._existing.append(name)
                return
            if read.exchanges or not read.notes:
                self._write(read, written)
        except NoCassette as error:
            self._others.append((name, str(error).replace(str(path), name)))
        except (CassetteError, OSError) as error:
            self._failed.append((name, str(error).replace(str(path), name)))
        else:
            self._notes += read.notes

    def _write(self, read: Imported, written: Path) -> None:
        clean = [without_secrets(exchange, self._redactor) for exchange in read.exchanges]
        self._target(written).save([Recorded(exchange, "") for exchange in clean])
        self._imported[read.file] = str(written)
        self._exchanges += len(clean)
        self._redacted += sum(exchange.redacted for exchange in clean)
        self._formats[read.format] += 1

    def summary(self) -> Summary:
        return Summary(
            self._imported,
            self._exchanges,
            self._redacted,
            dict(self._formats.most_common()),
            tuple(self._existing),
            tuple(self._others),
            tuple(self._failed),
            tuple(self._notes),
        )


def _files(root: Path) -> dict[str, Path]:
    """Every file under a directory by its relative name, hidden ones left out; a file is one by itself."""
    if root.is_file():
        return {root.name: root}
    if not root.is_dir():
        raise CassetteError(f"there is no file or directory {str(root)!r} to import")
    return {str(path.relative_to(root)): path for path in _walk(root)}


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and (path := Path(folder, name)).is_file():
                yield path


def _targets(root: Path, to: Path, files: dict[str, Path]) -> dict[str, Path]:
    """Where each file goes; where two would become one, both keep their whole name."""
    if root.is_file():
        return {root.name: to / _renamed(root.name) if to.is_dir() else to}
    taken = Counter(_renamed(name) for name in files)
    return {name: to / (_renamed(name) if taken[_renamed(name)] == 1 else f"{name}.yaml") for name in files}


def _renamed(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    if suffix.lower() == ".gz":
        stem, suffix = os.path.splitext(stem)
    return f"{stem}.yaml" if suffix.lower() in SUFFIXES else f"{name}.yaml"


def _file(path: Path) -> CassetteSource:
    from ..cassettes.file import FileCassette  # read and write formats need not know it

    source: CassetteSource = FileCassette(path)
    return source
