"""Prices calls on their way into the store, by the book that is in it at that time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from ..call import Call
from ..exchange import Exchange
from ..guard import Guard
from ..pricing import Book, curated_book, subject_of, unpriced
from .prices import Version, load_book, version
from .rows import cost_columns


class Pricer:
    """The store's price book, read anew when it was changed; one batch knows one book."""

    def __init__(self) -> None:
        self._book: Book | None = None
        self._version: Version = ()
        self._guard = Guard()

    def refresh(self, connection: Connection) -> None:
        """Look whether the book was changed, and read it if so."""
        found = version(connection)
        if self._book is None or found != self._version:
            self._book, self._version = load_book(connection), found

    def columns(self, call: Call, exchange: Exchange) -> dict[str, Any]:
        """What the row says of the cost; a call that cannot be priced is still a call."""
        with self._guard:
            book = self._book or curated_book()
            return cost_columns(book.cost(subject_of(call, exchange)))
        return cost_columns(unpriced("recorder failed to price it; the log says more"))
