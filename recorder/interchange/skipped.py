"""What of a file of calls was left out, and why."""

from __future__ import annotations

from msgspec import Struct


class Skipped(Struct, frozen=True):
    """A place in a file, such as `line 7`, that holds no call which could be stored."""

    file: str
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, {self.place}: {self.reason}"
