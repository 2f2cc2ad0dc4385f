"""One use of a cassette: what its mode allows, which recording answers, what is kept at the end."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from typing import Literal, get_args

from ..errors import CassetteError, CassetteMiss, CassetteMissing
from ..exchange import Exchange, Request
from .differences import explain, nearest
from .lanes import Lanes
from .matching import Comparable, Key, comparable, digest
from .source import CassetteSource, Recorded

Mode = Literal["none", "once", "new_episodes", "all", "rewrite"]
Pace = Literal["instant", "recorded"]
OnMiss = Literal["raise", "response"]

_NEAREST_OF = 200


class Slot:
    """The place of a call that is being recorded, taken when it was asked for."""

    __slots__ = ("asked", "call_id", "exchange", "lane")

    def __init__(self, asked: Key, lane: int) -> None:
        self.asked = asked
        self.lane = lane
        self.call_id = ""
        self.exchange: Exchange | None = None

    def fill(self, exchange: Exchange, call_id: str) -> None:
        """The call ended; this is its recording."""
        self.exchange, self.call_id = exchange, call_id


class Session:
    """A cassette while it is in use.

    The same request asked n times is answered by its n-th recording, lane by lane where several
    tasks or threads asked it. Only what was loaded is played, never what this session recorded.
    `significant` are the headers that take part in matching. Raises CassetteMissing where mode
    `none` finds nothing, CassetteError for a wrong setting.
    """

    def __init__(
        self,
        source: CassetteSource,
        mode: Mode = "none",
        *,
        pace: Pace = "instant",
        on_miss: OnMiss = "raise",
        significant: tuple[bytes, ...] = (),
    ) -> None:
        _check("mode", mode, get_args(Mode))
        _check("pace", pace, get_args(Pace))
        _check("on_miss", on_miss, get_args(OnMiss))
        loaded = source.load()
        if mode == "none" and loaded is None:
            raise CassetteMissing(
                f"there is no cassette {source.name!r}; record it with mode='once', 'new_episodes', 'all' or 'rewrite'"
            )
        self.name = source.name
        self.mode: Mode = mode
        self.pace: Pace = pace
        self.on_miss: OnMiss = on_miss
        self.closed = False
        self._source = source
        self._significant = significant
        self.lock = threading.Lock()
        self._lanes = Lanes()
        self._slots: list[Slot] = []
        self._loaded: tuple[Recorded, ...] = () if mode == "rewrite" else loaded or ()
        self.replay_only = mode == "none" or (mode == "once" and bool(self._loaded))
        self._unplayed: dict[Key, dict[int, deque[int]]] = defaultdict(lambda: defaultdict(deque))
        self._times: Counter[Key] = Counter()
        if mode != "all":
            for place, recorded in enumerate(self._loaded):
                asked = self._key(recorded.exchange.request)
                self._unplayed[asked][recorded.lane].append(place)
                self._times[asked] += 1

    @property
    def recordings(self) -> tuple[Recorded, ...]:
        """What was loaded, in the order in which it was asked for."""
        return self._loaded

    def find(self, request: Request) -> Recorded | Slot:
        """The recording that answers, or a slot where the call is to go live.

        Raises CassetteMiss where there is no answer and the mode forbids going live.
        """
        asked = comparable(request, self._significant)
        asked_key = digest(asked)
        with self.lock:
            if self.closed:
                raise CassetteMiss(
                    f"cassette {self.name!r} is closed, and its client still asks {_title(request)}"
                )
            lane = self._lanes.current()
            place = self._choose(asked_key, lane)
            if place is not None:
                return self._loaded[place]
            if not self.replay_only:
                slot = Slot(asked_key, lane)
                self._slots.append(slot)
                return slot
        raise CassetteMiss(self._explain(request, asked, asked_key), respond=self.on_miss == "response")

    def close(self, *, save: bool) -> None:
        """End the use; with `save`, keep what was recorded, as the mode says."""
        with self.lock:
            if self.closed:
                return
            self.closed = True
        recorded = [Recorded(slot.exchange, slot.call_id, slot.lane) for slot in self._slots if slot.exchange]
        if save and (recorded or self.mode == "rewrite"):
            self._source.save([*self._kept(), *recorded])

    def _key(self, request: Request) -> Key:
        return digest(comparable(request, self._significant))

    def _choose(self, asked: Key, lane: int) -> int | None:
        """The first unplayed recording of this lane, else the first of any, since work may be shared otherwise."""
        if (lanes := self._unplayed.get(asked)) is None:
            return None
        places = lanes.get(lane) or min(
            (queue for queue in lanes.values() if queue), key=lambda queue: queue[0], default=None
        )
        return places.popleft() if places else None

    def _kept(self) -> list[Recorded]:
        """What stays of the cassette as it is now, since others may have changed it meanwhile.

        Mode `rewrite` keeps nothing, mode `all` what was not asked for again.
        """
        if self.mode == "rewrite":
            return []
        now = self._source.load() or ()
        if self.mode != "all":
            return list(now)
        again = {slot.asked for slot in self._slots}
        return [recorded for recorded in now if self._key(recorded.exchange.request) not in again]

    def _explain(self, request: Request, asked: Comparable, asked_key: Key) -> str:
        title = f"cassette {self.name!r} (mode {self.mode!r}) has no answer to {_title(request)}"
        if times := self._times[asked_key]:
            return (
                f"{title}: this request was recorded {times} time{'s' * (times > 1)} and is now asked once more; "
                "record anew with mode='rewrite', or add to it with mode='new_episodes'"
            )
        recordings = [
            comparable(each.exchange.request, self._significant) for each in self._loaded[:_NEAREST_OF]
        ]
        if (found := nearest(recordings, asked)) is None:
            return f"{title}: it holds no recordings"
        place, differences = found
        return (
            f"{title}\nnearest is recording {place + 1} of {len(self._loaded)}, which differs in\n"
            f"{explain(differences)}\n"
            "record it with mode='new_episodes', or all anew with mode='rewrite'"
        )


def _title(request: Request) -> str:
    return f"{request.method} {request.url}"


def _check(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise CassetteError(f"{name}={value!r} is not known; it is one of {', '.join(allowed)}")
