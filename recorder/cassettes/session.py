"""One use of a cassette: what its mode allows, which recording answers, what is kept at the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from ..errors import CassetteMiss, CassetteMissing
from ..exchange import Exchange, Request
from .credentials import Credential, Credentials, Sender, sender_of
from .lanes import Lanes
from .matching import Matching
from .merging import merge
from .misses import Misses
from .options import Mode, OnMiss, Pace, Repeat, check
from .report import SessionReport
from .shelf import Shelf
from .source import CassetteSource, Recorded

_logger = logging.getLogger("recorder")


class Slot:
    """The place of a call that is being recorded, taken when it was asked for."""

    __slots__ = ("call_id", "credential", "exchange", "lane")

    def __init__(self, lane: int, credential: int) -> None:
        self.lane = lane
        self.credential = credential
        self.call_id = ""
        self.exchange: Exchange | None = None

    def fill(self, exchange: Exchange, call_id: str) -> None:
        """The call ended; this is its recording."""
        self.exchange, self.call_id = exchange, call_id


class Session:
    """A cassette while it is in use.

    The same request asked n times is answered by its n-th recording, lane by lane where several
    tasks or threads asked it. Only what was loaded is played, never what this session recorded.
    `significant` are the headers that take part in matching. With `prune` what is new is recorded and
    what was not used is dropped; with `dry_run` a request that would be recorded is a miss, and
    nothing changes. Raises CassetteMissing where mode `none` finds nothing, CassetteError for a wrong
    setting.
    """

    def __init__(
        self,
        source: CassetteSource,
        mode: Mode = "none",
        *,
        pace: Pace = "instant",
        on_miss: OnMiss = "raise",
        significant: tuple[bytes, ...] = (),
        matching: Matching | None = None,
        repeat: Repeat = "error",
        prune: bool = False,
        dry_run: bool = False,
    ) -> None:
        for name, value, allowed in (
            ("mode", mode, Mode),
            ("pace", pace, Pace),
            ("on_miss", on_miss, OnMiss),
            ("repeat", repeat, Repeat),
        ):
            check(name, value, allowed)
        mode = "new_episodes" if prune else mode
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
        self.lock = threading.Lock()
        self._source = source
        self._before = loaded or ()
        self._loaded: tuple[Recorded, ...] = () if mode == "rewrite" else self._before
        self._prune = prune
        self._dry_run = dry_run
        self.replay_only = dry_run or mode == "none" or (mode == "once" and bool(self._loaded))
        matching = matching or Matching()
        self._credentials = Credentials(each.credential for each in self._loaded)
        self._shelf = Shelf(
            () if mode == "all" else self._loaded, matching, significant, self._credentials, repeat
        )
        self._explaining = Misses(self.name, self._shelf, matching, significant)
        self._lanes = Lanes()
        self._by_lane = not self.replay_only or self._shelf.lanes
        self._ignores: Callable[[Request], bool] | None = getattr(source, "ignores", None)
        self._slots: list[Slot] = []
        self._hits = 0
        self._missed: list[str] = []
        self._anew: list[str] = []

    @property
    def recordings(self) -> tuple[Recorded, ...]:
        """What was loaded, in the order in which it was asked for."""
        return self._loaded

    @property
    def report(self) -> SessionReport:
        """What happened so far."""
        with self.lock:
            unused = self._shelf.unplayed()
            return SessionReport(
                hits=self._hits,
                recorded=sum(slot.exchange is not None for slot in self._slots),
                misses=tuple(self._missed),
                unused=unused,
                total=len(self._loaded),
                anew=tuple(self._anew),
                dropped=unused if self._prune else (),
            )

    def find(
        self,
        request: Request,
        credential: Credential = None,
        clean: Callable[[Request], Request] | None = None,
    ) -> Recorded | Slot:
        """The recording that answers, or a slot where the call is to go live.

        `credential` is a fingerprint of the one that the request was sent with. `clean` takes secrets out
        of a request; one that equals a recorded one byte for byte has none. What the source `ignores` goes
        live and is not kept. Raises CassetteMiss where there is no answer and the mode forbids going live.
        """
        if self._ignores is not None and self._ignores(request):
            return Slot(0, 0)
        with self.lock:
            same = self._shelf.same(request)
            may_miss = self.replay_only or self.closed
            if same is None and clean is not None and (may_miss or self._shelf.recordings):
                request = clean(request)
                same = self._shelf.same(request)
            if self.closed:
                raise self._miss(
                    f"cassette {self.name!r} is closed, and its client still asks {_title(request)}"
                )
            lane = self._lanes.current() if self._by_lane else 0
            sender = sender_of(request, credential)
            place = self._shelf.find(request, same, lane, sender)
            if place is not None:
                self._hits += 1
                return self._shelf.recordings[place]
            if self.replay_only:
                raise self._no_answer(request, sender)
            slot = Slot(lane, self._credentials.assign(sender))
            self._slots.append(slot)
            return slot

    def trip(self, text: str) -> CassetteMiss:
        """A miss that was found elsewhere: remembered here, and given to be raised."""
        with self.lock:
            self._missed.append(text)
        return CassetteMiss(text)

    def count_variant(self, variant: Session) -> None:
        """A variant of this cassette ended: its misses are misses here, and what it played is in use."""
        with self.lock:
            self._missed += variant._missed
            self._shelf.count_variant(variant._shelf)

    def so_far(self) -> tuple[Recorded, ...]:
        """What the cassette would hold if its use ended well now."""
        return self._before if self.replay_only else tuple(self._merged(self._before, self._recorded()))

    def close(self, *, save: bool, why: str = "it was discarded") -> None:
        """End the use; with `save`, keep what was recorded, as the mode says.

        Else put it beside the cassette, where its source can, and log that and `why`.
        """
        with self.lock:
            if self.closed:
                return
            self.closed = True
        recorded = self._recorded()
        if self._dry_run or self.replay_only:
            return
        if not save:
            self._reject(recorded, why)
        elif (
            recorded or (self.mode == "rewrite" and self._before) or (self._prune and self._shelf.unplayed())
        ):
            self._source.update(lambda now: self._merged(now or (), recorded))

    def _no_answer(self, request: Request, sender: Sender) -> CassetteMiss:
        title = f"cassette {self.name!r} (mode {self.mode!r}) has no answer to {_title(request)}"
        if self._dry_run:
            title += ", which would be recorded anew"
            self._anew.append(_title(request))
        return self._miss(f"{title}:\n{self._explaining.explain(request, sender)}")

    def _miss(self, text: str) -> CassetteMiss:
        self._missed.append(text)
        return CassetteMiss(text, respond=self.on_miss == "response" and not self.closed)

    def _recorded(self) -> list[Recorded]:
        return [
            Recorded(slot.exchange, slot.call_id, slot.lane, slot.credential)
            for slot in self._slots
            if slot.exchange is not None
        ]

    def _merged(self, now: Sequence[Recorded], recorded: Sequence[Recorded]) -> list[Recorded]:
        dropped = self._shelf.unplayed() if self._prune else ()
        return merge(self.mode, self._before, now, recorded, dropped, self._shelf.scope)

    def _reject(self, recorded: Sequence[Recorded], why: str) -> None:
        if not recorded:
            return
        reject: Callable[[Sequence[Recorded]], object] | None = getattr(self._source, "reject", None)
        where = ""
        if reject is not None:
            rejected = reject(self._merged(self._source.load() or (), recorded))
            where = f"; what was recorded is in {rejected}"
        _logger.warning("cassette %r is not kept, since %s%s", self.name, why, where)


def _title(request: Request) -> str:
    return f"{request.method} {request.url}"
