"""The journal while a person's calls are erased: stored before, so that none comes after, and looked through then."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ...errors import StoreError
from ..journal.draining import Draining
from ..journal.files import Position, names, read_position, segment_path, segments
from ..journal.locks import is_locked
from ..journal.status import condition
from ..url import argument

_PATIENCE_S: Final = 10.0
_LOOK_S: Final = 0.1
_ASIDE: Final = ("*.corrupt", "*.refused")


def store_all(
    url: str,
    directory: Path,
    *,
    patience_s: float = _PATIENCE_S,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until all that the journal held when this began is stored. Raises StoreError where that cannot be."""
    marks = {name: _end(directory, name) for name in names(directory)}
    if not marks:
        return
    until = clock() + patience_s
    draining = Draining(url, directory, every=False)
    try:
        draining.run(patience_s)
        while waiting := _waiting(directory, marks):
            if clock() > until:
                raise StoreError(
                    f"{waiting} calls wait in the journal {directory}, and are to be stored before anything is "
                    f"erased; run: recorder drain --store {argument(url)}; or end the programs that record"
                )
            sleep(_LOOK_S)
    finally:
        draining.close()


def holding(directory: Path | None) -> list[Path]:
    """The files of the journal that hold calls which may be stored already, or never will be."""
    if directory is None or not directory.is_dir():
        return []
    found = [path for pattern in _ASIDE for path in directory.glob(pattern)]
    for name in names(directory):
        found += [segment_path(directory, name, number) for number in segments(directory, name)]
    return sorted(path for path in found if path.exists() and path.stat().st_size)


def _waiting(directory: Path, marks: Mapping[str, Position]) -> int:
    """How many calls are not stored of those that were there; living processes store theirs by themselves."""
    behind = {
        name for name, mark in marks.items() if read_position(directory / f"{name}.position") < mark
    } & set(names(directory))
    if not behind:
        return 0
    owners = [owner for owner in condition(directory).owners if owner.name in behind]
    return sum(
        owner.records + (0 if is_locked(directory / f"{owner.name}.live") else owner.open) for owner in owners
    )


def _end(directory: Path, name: str) -> Position:
    numbers = segments(directory, name)
    try:
        return Position(numbers[-1], segment_path(directory, name, numbers[-1]).stat().st_size)
    except (IndexError, OSError):
        return Position(0, 0)
