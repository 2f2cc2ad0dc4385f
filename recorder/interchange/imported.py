"""What reading one file of somebody else's recordings gives: exchanges, and notes of what could not be carried."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from ..exchange import Exchange

_MISSHAPEN = (TypeError, AttributeError, LookupError, ValueError, ArithmeticError, RecursionError)
"""What strangers' data raises where a number stands for a text, or a list for a mapping."""


class Note(Struct, frozen=True):
    """Something that could not be carried over; `entry` counts from 1, None is the file as a whole."""

    file: str
    entry: int | None
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        where = self.file if self.entry is None else f"{self.file}, entry {self.entry}"
        return f"{where}: {self.reason}" + (f" ({self.detail})" if self.detail else "")


class Imported(Struct, frozen=True):
    """The recordings of one file, in its order; `format` names what wrote it.

    Of the `notes`, those on entries of which there is no recording are `lost`, too.
    """

    file: str
    format: str
    exchanges: tuple[Exchange, ...]
    notes: tuple[Note, ...] = ()
    lost: tuple[Note, ...] = ()


class NotCarried(ValueError):
    """One entry cannot become an exchange."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


Tell = Callable[..., None]
"""Takes a reason and a detail: something about the entry that could not be carried exactly."""


def read_entries(
    file: str, format: str, entries: Iterable[Any], read: Callable[[Mapping[str, Any], Tell], Exchange]
) -> Imported:
    """Read entry by entry; one that cannot be read becomes a note, and the rest goes on."""
    exchanges: list[Exchange] = []
    notes: list[Note] = []
    lost: list[Note] = []
    for number, entry in enumerate(entries, start=1):

        def tell(reason: str, detail: str = "", number: int = number) -> None:
            notes.append(Note(file, number, reason, detail))

        try:
            exchanges.append(read(mapping(entry, "the entry"), tell))
        except NotCarried as error:
            tell(error.reason, error.detail)
            lost.append(notes[-1])
        except _MISSHAPEN as error:
            tell("the entry is not shaped as its format has it", f"{type(error).__name__}: {error}"[:200])
            lost.append(notes[-1])
    return Imported(file, format, tuple(exchanges), tuple(notes), tuple(lost))


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    """The value, which must be a mapping."""
    if not isinstance(value, dict):
        raise NotCarried(f"{name} is no mapping", type(value).__name__)
    return value


def field(entry: Mapping[str, Any], name: str) -> Any:
    """A field that an entry must have."""
    if name not in entry:
        raise NotCarried(f"`{name}` is missing")
    return entry[name]
