"""A cell as it is kept: the figures of all its calls, and what they are cut into by provider, host and model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from .cells import Place
from .figures import Tally
from .kept_figures import NOTHING, joined, numbers_of_calls, pack_figures, tally_of, unpack_figures
from .tallying import Tallied

_IN_ROWS: Final = b"\0"
"""What no list begins with."""

_Cut = tuple[str, str, str, int, int, bytes]


class Cut(NamedTuple):
    """The calls of one provider, host and model."""

    provider: str
    host: str
    model: str
    calls: int
    replayed: int
    figures: bytes


class Kept(NamedTuple):
    """What is kept of a cell; equal cells are equal.

    Of the only cut there are no numbers and figures besides these. Where there are several, some cells have only the
    figures of each, and none of the whole. Where there are very many, each is in a row of its own, and `cuts` says in
    how many.
    """

    calls: int
    replayed: int
    figures: bytes
    cuts: bytes

    @property
    def rows(self) -> int:
        """How many rows of their own the cuts are in; 0 where they are here."""
        return int.from_bytes(self.cuts[1:], "big") if in_rows(self.cuts) else 0

    @property
    def number_of_cuts(self) -> int:
        """How many cuts are here, as MessagePack says it where a list begins."""
        first = self.cuts[0]
        if first < 0xA0:
            return first & 0x0F
        return int.from_bytes(self.cuts[1:3] if first == 0xDC else self.cuts[1:5], "big")


def in_rows(cuts: bytes | None) -> bool:
    """Whether the cuts of a cell are in rows of their own."""
    return cuts is not None and cuts.startswith(_IN_ROWS)


def changed(known: Kept | None, tallied: Tallied, sign: int = 1) -> Kept | None:
    """A cell that has its cuts with tallies added, or taken away; None where no call is left. Raises Inconsistent."""
    parts = tallied.parts
    if len(parts) == 1 and (known is None or known.cuts == _sole(*parts)):
        ((place, tally),) = parts.items()
        return _uncut(known, place, tally, sign)
    cuts = {} if known is None else {cut[:3]: Cut._make(cut) for cut in cuts_of(*known)}
    for place, part in parts.items():
        cuts[place] = _cut(cuts.get(place), place, part, sign)
    left = [cut for cut in cuts.values() if cut.calls or cut.replayed]
    if len(left) < 2 or tallied.whole is None:
        return joint(left, b"")
    return joint(left, changed_whole(known, tallied.whole, sign))


def changed_whole(known: Kept | None, tally: Tally, sign: int = 1) -> bytes:
    """The figures of a whole cell with a tally added, or taken away. Raises Inconsistent."""
    return pack_figures(joined(NOTHING if known is None else unpack_figures(known.figures), tally, sign))


def joint(cuts: Sequence[Cut], figures: bytes) -> Kept | None:
    """The cell that has these cuts, with figures of the whole, if it is to have any; None where there is no cut."""
    if not cuts:
        return None
    if len(cuts) == 1:
        return alone(cuts[0])
    calls, replayed = (sum(column) for column in zip(*(cut[3:5] for cut in cuts), strict=True))
    return Kept(calls, replayed, figures, _pack(sorted(cuts)))


def alone(cut: Cut) -> Kept:
    """A cell that has one cut; also the row of a cut by itself."""
    return Kept(cut.calls, cut.replayed, cut.figures, _sole(cut[:3]))


def cut_into_rows(figures: bytes, rows: int) -> Kept:
    """The cell whose cuts are in so many rows of their own; it always has the figures of the whole."""
    numbers = numbers_of_calls(unpack_figures(figures))
    return Kept(*numbers, figures, _IN_ROWS + rows.to_bytes(4, "big"))


def whole_of(cuts: Sequence[Cut]) -> bytes:
    """The figures of cuts together."""
    figures = NOTHING
    for cut in cuts:
        figures = joined(figures, tally_of(unpack_figures(cut.figures)))
    return pack_figures(figures)


def cuts_of(calls: int, replayed: int, figures: bytes, cuts: bytes) -> list[_Cut]:
    """What a cell is cut into, like `Cut`, all with their figures."""
    found = _unpack(cuts)
    if len(found) > 1:
        return found
    provider, host, model, *_ = found[0]
    return [(provider, host, model, calls, replayed, figures)]


def _uncut(known: Kept | None, place: Place, tally: Tally, sign: int) -> Kept | None:
    figures = joined(NOTHING if known is None else unpack_figures(known.figures), tally, sign)
    calls, replayed = numbers_of_calls(figures)
    return Kept(calls, replayed, pack_figures(figures), _sole(place)) if calls or replayed else None


def _cut(known: Cut | None, place: Place, part: Tally, sign: int) -> Cut:
    figures = joined(NOTHING if known is None else unpack_figures(known.figures), part, sign)
    return Cut(*place, *numbers_of_calls(figures), pack_figures(figures))


@lru_cache(maxsize=1024)
def _sole(place: Place) -> bytes:
    return _pack([Cut(*place, 0, 0, b"")])


_pack: Final[Callable[[object], bytes]] = msgspec.msgpack.Encoder().encode
_unpack: Final[Callable[[bytes], list[_Cut]]] = msgspec.msgpack.Decoder(list[_Cut]).decode
