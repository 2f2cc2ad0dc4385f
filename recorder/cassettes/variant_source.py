"""A cassette derived from another one, to be played only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from msgspec.structs import replace

from ..errors import CassetteError, SettingsError
from ..exchange import Exchange, Request
from .source import CassetteSource, Change, Recorded, as_kept, ignored
from .variants import varied
from .variation import Variation

Select = int | Sequence[int] | Callable[[Exchange], bool]
"""Which recordings: by index, counted from 0 or from the end, or by a function of the recorded exchange."""


class VariantSource:
    """A `CassetteSource` with the recordings of another one, those selected changed; it keeps nothing.

    `load` gives the recordings of `source`, which may be in use. With `times`, the change comes so often before the
    recording itself, as if the request had been made again each time; without, it comes instead.
    """

    def __init__(
        self,
        source: CassetteSource,
        load: Callable[[], tuple[Recorded, ...] | None],
        change: Variation,
        select: Select | None = None,
        times: int | None = None,
    ) -> None:
        if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1):
            raise SettingsError(f"times={times!r} is no count; it is 1 or more, or None for always")
        self.name = source.name
        self._source = source
        self._load = load
        self._change = change
        self._select = select
        self._times = times

    def load(self) -> tuple[Recorded, ...] | None:
        """The derived recordings; raises CassetteError where one cannot be changed so."""
        loaded = self._load()
        if loaded is None:
            return None
        if not loaded:
            raise CassetteError(f"cassette {self.name!r} holds no recordings to vary; record them first")
        chosen = self._chosen(loaded)
        return tuple(
            each
            for place, one in enumerate(loaded)
            for each in (self._derived(one, place) if place in chosen else (one,))
        )

    def ignores(self, request: Request) -> bool:
        """What the other one leaves to the network."""
        return ignored(self._source, request)

    def kept_request(self, request: Request) -> Request:
        """A request as the other one keeps it."""
        return as_kept(self._source, request)

    def save(self, recordings: Sequence[Recorded]) -> NoReturn:
        raise CassetteError(
            f"a variant of cassette {self.name!r} is only played; record with the cassette itself"
        )

    def update(self, change: Change) -> NoReturn:
        self.save(())

    def _chosen(self, loaded: tuple[Recorded, ...]) -> set[int]:
        select, count = self._select, len(loaded)
        if select is None:
            return set(range(count))
        if callable(select):
            chosen = {place for place, one in enumerate(loaded) if select(one.exchange)}
        else:
            wanted = (select,) if isinstance(select, int) else tuple(select)
            if outside := [place for place in wanted if not -count <= place < count]:
                raise CassetteError(
                    f"select={outside[0]} is beyond cassette {self.name!r}, "
                    f"which has {count} recordings, 0 to {count - 1}"
                )
            chosen = {place % count for place in wanted}
        if not chosen:
            raise CassetteError(f"select chooses none of the {count} recordings of cassette {self.name!r}")
        return chosen

    def _derived(self, one: Recorded, place: int) -> tuple[Recorded, ...]:
        try:
            changed = replace(one, content=varied(one.exchange, self._change))
        except CassetteError as error:
            raise CassetteError(
                f"recording {place} of cassette {self.name!r} cannot vary so: {error}; "
                "select=… chooses among recordings"
            ) from error
        return (changed,) if self._times is None else (*(changed,) * self._times, one)
