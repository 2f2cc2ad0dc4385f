"""Carrying journals into the store from another process than those that write them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ..writer import Writer
from .intake import JournalIntake


class Draining:
    """Stores what is in a journal, whoever wrote it, and whether they live or not.

    What a living process stores by itself is left to that; without `every`, so is all that living ones wrote.
    """

    def __init__(self, url: str, directory: Path, *, durable: bool = False, every: bool = True) -> None:
        self._writer = Writer(
            url, 0, intake=lambda: JournalIntake(directory, 0, every=every, synced=durable), durable=durable
        )

    @property
    def stored(self) -> int:
        """How many calls were stored so far."""
        return self._writer.stored

    @property
    def failure(self) -> str | None:
        """Why the store cannot be used."""
        error = self._writer.last_error
        return None if error is None else str(error)

    def run(self, timeout: float | None = None) -> bool:
        """Store what is there now; whether all of it could be."""
        return self._writer.flush(timeout)

    def watch(
        self, pause_s: float, wanted: Callable[[], bool], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Store what comes, as long as that is wanted."""
        while wanted():
            self.run(pause_s)
            sleep(pause_s)

    def close(self) -> bool:
        """Stop; what is left stays in the journal."""
        return self._writer.close(1.0)
