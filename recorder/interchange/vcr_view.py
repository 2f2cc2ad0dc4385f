"""What happened to a cassette so far, by the names that vcrpy's has for it."""

from __future__ import annotations

from typing import Any, Protocol, Self

from ..cassette_context import Cassette
from ..cassettes import Recorded, SessionReport
from ..errors import CassetteMissing
from .vcr_request import response_dict, to_vcr


class _Played(Protocol):
    @property
    def recordings(self) -> tuple[Recorded, ...]: ...
    @property
    def report(self) -> SessionReport: ...


class _VcrNames:
    """For classes that have `recordings` and a `report`."""

    def __len__(self: _Played) -> int:
        return len(self.recordings)

    @property
    def play_count(self: _Played) -> int:
        """How many requests were answered from it."""
        return self.report.hits

    @property
    def all_played(self: _Played) -> bool:
        """Whether every recording was asked for."""
        return not self.report.unused

    @property
    def dirty(self) -> bool:
        """Whether there is something to save; nothing ever is."""
        return False

    @property
    def requests(self: _Played) -> list[Any]:
        """The requests of all recordings, as vcrpy has them."""
        return [to_vcr(each.exchange.request) for each in self.recordings]

    @property
    def responses(self: _Played) -> list[dict[str, Any]]:
        """The responses of all recordings, as vcrpy has them."""
        return [response_dict(each.exchange) for each in self.recordings]


class VcrView(_VcrNames):
    """What a test sees of its cassette that was written for vcrpy's."""

    def __init__(self, cassette: Cassette) -> None:
        self._cassette = cassette

    @property
    def recordings(self) -> tuple[Recorded, ...]:
        """What it holds now, with what was recorded so far."""
        session = self._cassette._last
        return () if session is None else session.so_far()

    @property
    def report(self) -> SessionReport:
        return self._cassette.report


class VcrUsed(_VcrNames, Cassette):
    """A cassette that has vcrpy's names too, also when its block has ended."""

    @classmethod
    def of(cls, cassette: Cassette) -> VcrUsed:
        """The same cassette, with these names."""
        return cls(cassette._recording, cassette._source, cassette._use)

    def __enter__(self) -> Self:
        try:
            return super().__enter__()
        except CassetteMissing:
            raise CassetteMissing(
                f"there is no cassette {self.name!r}, and those in vcrpy's format are only read; "
                "record one of ours: recorder.cassette(path, mode='once', install=True)"
            ) from None

    @property
    def recordings(self) -> tuple[Recorded, ...]:
        """What the cassette held when it was entered last."""
        return () if self._last is None else self._last.recordings

    def __bool__(self) -> bool:
        return True
