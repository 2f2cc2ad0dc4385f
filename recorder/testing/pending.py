"""Holds back what a cassette is to keep, until the whole test is over and known to be good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..cassettes import CassetteSource, Recorded
    from ..cassettes.source import Change
    from ..exchange import Request


class Pending:
    """A source whose changes wait: a fixture that is torn down later may yet fail the test.

    After the cassette is left, `keep` carries them out, and `refuse` puts them beside the cassette; then
    `rejected` says where, if anything was there to keep. With `missing_is_empty` a cassette that there is
    not counts as one without recordings, since a test may have the marker and make no calls; `missing`
    then tells.
    """

    def __init__(self, source: CassetteSource, *, missing_is_empty: bool = False) -> None:
        self.rejected = ""
        self.missing = False
        self._missing_is_empty = missing_is_empty
        self._source: Any = source
        self._change: Change | None = None

    @property
    def name(self) -> str:
        return str(self._source.name)

    def load(self) -> tuple[Recorded, ...] | None:
        found: tuple[Recorded, ...] | None = self._source.load()
        self.missing = found is None
        return () if found is None and self._missing_is_empty else found

    def ignores(self, request: Request) -> bool:
        """Whether the source leaves a request to the network."""
        ignores = getattr(self._source, "ignores", None)
        return ignores is not None and bool(ignores(request))

    def save(self, recordings: Sequence[Recorded]) -> None:
        self._change = lambda now: recordings

    def update(self, change: Change) -> None:
        self._change = change

    def reject(self, recordings: Sequence[Recorded]) -> str:
        """Put recordings beside the cassette where its source can; the place, or "" where it cannot."""
        if (reject := getattr(self._source, "reject", None)) is not None:
            self.rejected = str(reject(recordings))
        return self.rejected

    def keep(self) -> None:
        """The test was good."""
        if self._change is not None:
            self._source.update(self._change)

    def refuse(self) -> None:
        """The test was not."""
        if self._change is not None:
            self.reject(self._change(self._source.load()))
