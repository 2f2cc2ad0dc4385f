"""What importing a tree did, and what could not be carried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from .imported import Note

_EXAMPLES = 3


class Summary(Struct, frozen=True):
    """Everything that happened to the files of a tree; files are named relative to it.

    `imported` maps each file to the one that was written for it. `existing` were left alone since their
    target was there already, `others` hold no recordings, `failed` could not be read or written; the last
    two with the reason. `redacted` counts the exchanges in which a secret was replaced.
    """

    imported: dict[str, str] = {}
    exchanges: int = 0
    redacted: int = 0
    formats: dict[str, int] = {}
    existing: tuple[str, ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing was left behind: every recording of every cassette is carried."""
        return not (self.failed or self.existing or self.notes)

    def reasons(self) -> dict[str, int]:
        """How often each thing could not be carried."""
        return dict(Counter(note.reason for note in self.notes).most_common())

    def lines(self) -> Iterator[str]:
        """The summary for people: totals, then each reason with its first examples."""
        formats = ", ".join(f"{count} {name}" for name, count in self.formats.items())
        yield f"{_count(self.exchanges, 'exchange')} of {_count(len(self.imported), 'file')} imported" + (
            f" ({formats})" if formats else ""
        )
        if self.redacted:
            yield f"{_count(self.redacted, 'exchange')} held secrets, which were replaced"
        for reason, count in self.reasons().items():
            yield f"{reason}: {count}"
            yield from _examples([_where(note) for note in self.notes if note.reason == reason])
        if self.existing:
            yield f"left alone, since their target exists (overwrite replaces it): {len(self.existing)}"
            yield from _examples(self.existing)
        for title, files in (("not read", self.failed), ("no cassette", self.others)):
            if files:
                yield f"{title}: {len(files)}"
                yield from _examples(
                    [reason if name in reason else f"{name}: {reason}" for name, reason in files]
                )


def _where(note: Note) -> str:
    place = note.file if note.entry is None else f"{note.file}, entry {note.entry}"
    return f"{place}: {note.detail}" if note.detail else place


def _examples(items: tuple[str, ...] | list[str]) -> Iterator[str]:
    yield from (f"  {item}" for item in items[:_EXAMPLES])
    if len(items) > _EXAMPLES:
        yield f"  … and {len(items) - _EXAMPLES} more"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
