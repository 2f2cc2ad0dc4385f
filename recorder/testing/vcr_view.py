"""What a test sees of its cassette that was written for vcrpy's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..cassette_context import Cassette


class VcrView:
    """A cassette with the names that vcrpy's has for what happened so far."""

    def __init__(self, cassette: Cassette) -> None:
        self._cassette = cassette

    def __len__(self) -> int:
        return self._cassette.report.total

    @property
    def play_count(self) -> int:
        """How many requests were answered from it."""
        return self._cassette.report.hits

    @property
    def all_played(self) -> bool:
        """Whether every recording was asked for."""
        return not self._cassette.report.unused

    @property
    def requests(self) -> list[Any]:
        """The requests of all recordings, as vcrpy has them."""
        from ..interchange.vcr_request import to_vcr  # brings all formats along

        return [to_vcr(each.exchange.request) for each in self._cassette.recordings]

    @property
    def responses(self) -> list[dict[str, Any]]:
        """The responses of all recordings, as vcrpy has them."""
        from ..interchange.vcr_request import response_dict  # brings all formats along

        return [response_dict(each.exchange) for each in self._cassette.recordings]
