"""The store's price book for those who cannot wait for the store: as it was when it was last looked at."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from ..call import Call
from ..errors import StoreError
from ..exchange import Exchange
from ..guard import Guard
from ..pricing import Book, Cost, curated_book, subject_of

REFRESH_S: Final = 60.0


class CurrentPrices:
    """Prices calls at once, by the curated book until the store's own has been read.

    That is read in another thread, by way of `later`: at once, and then when a call comes `refresh_s` later.
    """

    def __init__(
        self,
        url: str,
        later: Callable[[Callable[[], None]], None],
        *,
        refresh_s: float = REFRESH_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._later = later
        self._refresh_s = refresh_s
        self._clock = clock
        self._book: Book | None = None
        self._due = clock()
        self._guard = Guard()
        self._refresh_soon()

    def cost(self, call: Call, exchange: Exchange) -> Cost:
        """What a call cost, as far as it is known now."""
        if self._clock() >= self._due:
            self._refresh_soon()
        return (self._book or curated_book()).cost(subject_of(call, exchange))

    def _refresh_soon(self) -> None:
        self._due = self._clock() + self._refresh_s
        self._later(self.refresh)

    def refresh(self) -> None:
        """Read the store's book, if there is a store."""
        from .access import reading  # SQLAlchemy takes 200 ms to import
        from .database import open_database
        from .prices import load_book

        with self._guard:
            database = open_database(self._url)
            try:
                with reading(database) as connection:
                    self._book = load_book(connection)
            except StoreError:  # not there yet, or away: another time will do
                self._due = self._clock()
            finally:
                database.close()
