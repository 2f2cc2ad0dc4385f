"""Holds back what a cassette is to keep, until the whole test is over and known to be good."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CassetteError

if TYPE_CHECKING:
    from ..cassettes import CassetteSource, Recorded
    from ..cassettes.source import Change
    from ..exchange import Exchange, Request
    from .strays import Strays


class Pending:
    """A source whose changes wait: a fixture that is torn down later may yet fail the test.

    After the cassette is left, `keep` carries them out, and `refuse` puts them beside the cassette; then
    `rejected` says where, if anything was there to keep. With `missing_is_empty` a cassette that there is
    not counts as one without recordings, since a test may have the marker and make no calls; `missing`
    then tells. `begun` is the cassette as it was when the run began: what other tests of the same run
    recorded meanwhile is kept, and not played. Calls of `strays` go live, and are not kept.
    """

    def __init__(
        self,
        source: CassetteSource,
        *,
        missing_is_empty: bool = False,
        begun: CassetteSource | None = None,
        strays: Strays | None = None,
    ) -> None:
        self.rejected = ""
        self.missing = False
        self.loaded: tuple[Recorded, ...] = ()
        self._missing_is_empty = missing_is_empty
        self._source: Any = source
        self._begun = begun
        self._strays = strays
        self._change: Change | None = None

    @property
    def name(self) -> str:
        return str(self._source.name)

    def load(self) -> tuple[Recorded, ...] | None:
        return self._note(self._load(self._source.load))

    def load_lazily(self) -> tuple[Recorded, ...] | None:
        return self._note(self._load(getattr(self._source, "load_lazily", self._source.load)))

    def ignores(self, request: Request) -> bool:
        """Whether the source leaves a request to the network, or whoever asks it has no business here."""
        if self._strays is not None and self._strays.asked() and self._begun is not None:
            return True
        ignores = getattr(self._source, "ignores", None)
        return ignores is not None and bool(ignores(request))

    def kept_request(self, request: Request) -> Request:
        """A request as the source keeps it."""
        kept_request: Callable[[Request], Request] | None = getattr(self._source, "kept_request", None)
        return request if kept_request is None else kept_request(request)

    def kept_exchange(self, exchange: Exchange) -> Exchange | None:
        """An exchange as the source keeps it."""
        kept: Callable[[Exchange], Exchange | None] | None = getattr(self._source, "kept_exchange", None)
        return exchange if kept is None else kept(exchange)

    def keep_headers(self, names: Collection[bytes]) -> None:
        """The source is to keep these request headers, since they are compared."""
        keep_headers = getattr(self._source, "keep_headers", None)
        if keep_headers is not None:
            keep_headers(names)

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
        """The test was good; what an earlier run has put aside is of no use any more."""
        if self._change is not None:
            self._source.update(self._change)
        if self._begun is not None:
            _remove_older(Path(f"{self.name}.rej"), Path(self._begun.name))

    def refuse(self) -> None:
        """The test was not."""
        if self._change is not None:
            self.reject(self._change(self._source.load()))

    def _load(self, load: Callable[[], tuple[Recorded, ...] | None]) -> tuple[Recorded, ...] | None:
        if self._begun is not None:
            try:
                return self._begun.load()
            except CassetteError:
                pass  # the cassette itself says it with its own name
        return load()

    def _note(self, found: tuple[Recorded, ...] | None) -> tuple[Recorded, ...] | None:
        self.missing = found is None
        self.loaded = found or ()
        return () if found is None and self._missing_is_empty else found


def _remove_older(rejected: Path, begun: Path) -> None:
    try:
        if rejected.stat().st_mtime_ns < begun.stat().st_mtime_ns:
            rejected.unlink()
    except FileNotFoundError:
        pass
