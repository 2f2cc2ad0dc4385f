"""Where a cassette's recordings come from and go to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from ..exchange import Exchange


class Recorded(Struct, frozen=True):
    """One recording of a cassette.

    `lane` numbers the task or thread that asked, in order of first asking; `call_id` is the id of
    the call that it belongs to.
    """

    exchange: Exchange
    call_id: str
    lane: int = 0


class CassetteSource(Protocol):
    """A place that keeps one cassette."""

    @property
    def name(self) -> str: ...

    def load(self) -> tuple[Recorded, ...] | None:
        """The recordings in the order in which they were asked for; None where there is no such cassette."""

    def save(self, recordings: Sequence[Recorded]) -> None:
        """Replace the cassette by these recordings, as a whole or not at all."""
