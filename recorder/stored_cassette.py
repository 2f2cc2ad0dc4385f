"""The cassette of a store, as a recorder uses it that also writes the calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .cassettes import Recorded
from .cassettes.source import Change
from .errors import CassetteError, StoreNotFound

if TYPE_CHECKING:
    from .ledger.cassettes import StoreCassette


class StoredCassette:
    """A cassette whose calls must have been stored before, which `flush` does; `begin` readies what stores replays.

    With `once` it refuses to be recorded, where nothing is there to be replayed, by a `bare` recorder: one that
    stores no content.
    """

    def __init__(
        self,
        name: str,
        store: str,
        flush: Callable[[float], bool],
        begin: Callable[[], None],
        *,
        once: bool,
        bare: bool,
    ) -> None:
        self.name = name
        self._store = store
        self._flush = flush
        self._begin = begin
        self._once = once
        self._bare = bare

    def load(self) -> tuple[Recorded, ...] | None:
        self._flush(5.0)
        self._begin()
        try:
            found = self._source().load()
        except StoreNotFound:
            found = None
        if self._once and not found:
            self.refuse_bare()
        return found

    def refuse_bare(self) -> None:
        """Raise CassetteError where what is recorded would have no content."""
        if self._bare:
            raise CassetteError(
                f"cassette {self.name!r} cannot be recorded by a Recorder with store_content=False; keep it in a "
                "file with recorder.cassette(…), or replay it with mode='none'"
            )

    def save(self, recordings: Sequence[Recorded]) -> None:
        self.update(lambda _: recordings)

    def update(self, change: Change) -> None:
        if not self._flush(30.0):
            raise CassetteError(
                f"cassette {self.name!r} is not kept, since not all of its calls could be stored"
            )
        self._source().update(change)

    def _source(self) -> StoreCassette:
        from .ledger.store import Store  # SQLAlchemy takes 200 ms to import

        return Store(self._store).cassette(self.name)
