"""Calls of a store written out, in one of four formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import IO, Literal, get_args

from msgspec import Struct

from ..ledger.copies import CallCopy
from ..ledger.selection import Selection, ViewRow
from . import har_writing
from .calls_csv import write_rows
from .calls_jsonl import write_line
from .calls_parquet import Pairs, write_parquet

Kind = Literal["jsonl", "csv", "parquet", "har"]

KINDS: tuple[Kind, ...] = get_args(Kind)
SUFFIXES: Mapping[str, Kind] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".har": "har",
}
"""What a file's name says of its format; `.gz` may follow, but for Parquet."""

Progress = Callable[[int, int], None]
"""Told how many calls are written, of how many."""

_STEP = 50


class Exported(Struct):
    """How many calls were written, how many of them have no payload any more, and whose could not be read."""

    calls: int = 0
    without_payload: int = 0
    damaged: dict[str, str] = {}


def kind_of(name: str) -> Kind | None:
    """The format that a file's name says, None where it says none."""
    lower = name.lower()
    plain = lower.removesuffix(".gz")
    kind = next((kind for suffix, kind in SUFFIXES.items() if plain.endswith(suffix)), None)
    return None if kind == "parquet" and plain != lower else kind  # which is compressed inside


def export_calls(
    selection: Selection, kind: Kind, file: IO[bytes], *, payloads: bool = False, progress: Progress
) -> Exported:
    """Write calls, one after another; `payloads` is for Parquet, since JSONL and HAR have them and CSV never has."""
    done = Exported()
    writing = _Counting(selection, done, progress)
    if kind == "jsonl":
        for copy in writing.copies():
            file.write(write_line(copy))
    elif kind == "har":
        file.write(har_writing.BEGIN)
        for copy in writing.copies():
            file.write(har_writing.write_entry(copy, done.calls == 1))
        file.write(har_writing.END)
    elif kind == "csv":
        for line in write_rows(writing.rows()):
            file.write(line)
    else:
        write_parquet(writing.pairs(payloads), file, payloads=payloads)
    progress(done.calls, done.calls)
    return done


class _Counting:
    """The calls of a selection, counted as they pass by."""

    def __init__(self, selection: Selection, done: Exported, progress: Progress) -> None:
        self._selection = selection
        self._done = done
        self._progress = progress

    def rows(self) -> Iterator[ViewRow]:
        for row in self._selection.rows():
            self._count()
            yield row

    def copies(self) -> Iterator[CallCopy]:
        return (copy for _, copy in self._whole())

    def pairs(self, payloads: bool) -> Pairs:
        if payloads:
            return ((row, copy.exchange) for row, copy in self._whole())
        return ((row, None) for row in self.rows())

    def _whole(self) -> Iterator[tuple[ViewRow, CallCopy]]:
        for row, copy in self._selection.exchanges():
            self._count()
            self._done.without_payload += copy.exchange is None and copy.damage is None
            if copy.damage is not None:
                self._done.damaged[copy.row["id"]] = copy.damage
            yield row, copy

    def _count(self) -> None:
        self._done.calls += 1
        if self._done.calls % _STEP == 0:
            self._progress(self._done.calls, len(self._selection))
