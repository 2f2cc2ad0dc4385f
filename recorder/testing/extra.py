"""A cassette and further ones that are only read, as positional arguments of the marker name them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..cassettes import CassetteSource, Recorded


class WithExtra:
    """A source that holds what further ones do, too; what is written goes to the first one alone."""

    def __init__(self, source: CassetteSource, extra: Sequence[CassetteSource]) -> None:
        self._source = source
        self._extra = extra

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    @property
    def name(self) -> str:
        return self._source.name

    def load(self) -> tuple[Recorded, ...] | None:
        return self._with_extra(self._source.load)

    def load_lazily(self) -> tuple[Recorded, ...] | None:
        return self._with_extra(getattr(self._source, "load_lazily", self._source.load))

    def _with_extra(self, load: Callable[[], tuple[Recorded, ...] | None]) -> tuple[Recorded, ...] | None:
        found = [load(), *(source.load() for source in self._extra)]
        if all(each is None for each in found):
            return None
        return tuple(recorded for each in found for recorded in each or ())
