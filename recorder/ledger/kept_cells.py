"""A cell as it is kept: the figures of all its calls, and what they are cut into by provider, host and model."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from .cells import Place
from .figures import Tally
from .kept_figures import NOTHING, joined, numbers_of_calls, pack_figures, unpack_figures
from .tallying import Tallied

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
    figures of each, and none of the whole.
    """

    calls: int
    replayed: int
    figures: bytes
    cuts: bytes


def changed(known: Kept | None, tallied: Tallied, sign: int = 1) -> Kept | None:
    """A cell with tallies added, or taken away; None where no call is left. Raises Inconsistent."""
    parts = tallied.parts
    if len(parts) == 1 and (known is None or known.cuts == _sole(*parts)):
        ((place, tally),) = parts.items()
        return _uncut(known, place, tally, sign)
    cuts = {} if known is None else {cut[:3]: Cut._make(cut) for cut in cuts_of(*known)}
    for place, part in parts.items():
        cuts[place] = _cut(cuts.get(place), place, part, sign)
    cuts = {place: cut for place, cut in cuts.items() if cut.calls or cut.replayed}
    if not cuts:
        return None
    if len(cuts) == 1:
        ((place, cut),) = cuts.items()
        return Kept(cut.calls, cut.replayed, cut.figures, _sole(place))
    calls, replayed = (sum(column) for column in zip(*(cut[3:5] for cut in cuts.values()), strict=True))
    whole = b"" if tallied.whole is None else _whole(known, tallied.whole, sign)
    return Kept(calls, replayed, whole, _pack([cuts[place] for place in sorted(cuts)]))


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


def _whole(known: Kept | None, tally: Tally, sign: int) -> bytes:
    return pack_figures(joined(NOTHING if known is None else unpack_figures(known.figures), tally, sign))


@lru_cache(maxsize=1024)
def _sole(place: Place) -> bytes:
    return _pack([Cut(*place, 0, 0, b"")])


_pack: Final[Callable[[object], bytes]] = msgspec.msgpack.Encoder().encode
_unpack: Final[Callable[[bytes], list[_Cut]]] = msgspec.msgpack.Decoder(list[_Cut]).decode
