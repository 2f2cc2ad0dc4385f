"""Keeps what was recorded: in the cassette, or beside it where that cannot be or shall not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from ..errors import CassetteError, RecorderError
from .source import CassetteSource, Recorded, shown

_logger = logging.getLogger("recorder")

Recordings = Sequence[Recorded]


class Keeping:
    """Puts what was recorded where it belongs; `merged` adds it to what is there by then.

    `compared` are the headers that the source must keep.
    """

    def __init__(
        self,
        source: CassetteSource,
        name: str,
        merged: Callable[[Recordings, Recordings], Recordings],
        compared: tuple[bytes, ...] = (),
    ) -> None:
        self._source = source
        self._name = name
        self._merged = merged
        keep_headers: Callable[[tuple[bytes, ...]], None] | None = getattr(source, "keep_headers", None)
        if keep_headers is not None:
            keep_headers(compared)

    def save(self, recorded: Recordings, *, anew: bool) -> None:
        """Let the cassette have it, `anew` without looking at what is there; raises where that fails, and says so."""
        try:
            if anew:
                self._source.save(recorded)
            else:
                self._source.update(lambda now: self._merged(now or (), recorded))
        except RecorderError as error:
            if where := self._put_aside(recorded):
                raise CassetteError(f"{error}{where}") from error
            raise

    def refuse(self, recorded: Recordings, why: str) -> None:
        """Put it beside the cassette, and raise CassetteError."""
        raise CassetteError(f"cassette {self._name!r} is not kept, since {why}{self._put_aside(recorded)}")

    def reject(self, recorded: Recordings, why: str) -> None:
        """Put it beside the cassette, and log that; raises nothing, as something else may have been raised."""
        if not recorded:
            return
        try:
            where = self._put_aside(recorded)
        except RecorderError as error:
            where = f"; what was recorded is lost: {error}"
        _logger.warning("cassette %r is not kept, since %s%s", self._name, why, where)

    def _put_aside(self, recorded: Recordings) -> str:
        """Where it was written to, as the end of a sentence; nothing where the source has no such place."""
        reject: Callable[[Recordings], object] | None = getattr(self._source, "reject", None)
        if reject is None or not recorded:
            return ""
        try:
            now = self._source.load() or ()
        except CassetteError:  # broken by now, as it may be the reason for all this
            now = ()
        return f"; what was recorded is in {shown(str(reject(self._merged(now, recorded))))}"
