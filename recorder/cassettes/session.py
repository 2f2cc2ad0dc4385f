"""One use of a cassette: what its mode allows, which recording answers, what is kept at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ..errors import CassetteError, CassetteMiss, CassetteMissing
from ..exchange import Request, endpoint
from .credentials import Credential, Credentials, Host, Sender, sender_of
from .heads import Fingerprint, Heads
from .keeping import Keeping
from .lanes import Lanes
from .matching import Matching
from .merging import merge
from .misses import Misses
from .options import ADVICE, Mode, OnMiss, Pace, Repeat, check
from .report import SessionReport
from .shelf import Shelf
from .slot import Slot, Slots
from .source import CassetteSource, ForeignCassette, Recorded, Unread, shown
from .stand_ins import StandIns


class Session:
    """A cassette while it is in use.

    The same request asked n times is answered by its n-th recording, lane by lane where several
    tasks or threads asked it. Only what was loaded is played, never what this session recorded.
    `significant` are the headers that take part in matching. With `prune` what is new is recorded and
    what was not used is dropped; with `dry_run` nothing changes, and a request that would be
    recorded is answered by the nearest recording left, or is a miss. `advice` is what a miss tells to do,
    `heads` gives what is remembered of heads of which these headers are compared.
    Raises CassetteMissing where mode `none` finds nothing, CassetteError for a wrong setting or a broken
    cassette, which mode `rewrite` does not mind.
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
        advice: str = ADVICE,
        heads: Callable[[tuple[bytes, ...]], Heads] = Heads,
    ) -> None:
        for name, value, allowed in (
            ("mode", mode, Mode),
            ("pace", pace, Pace),
            ("on_miss", on_miss, OnMiss),
            ("repeat", repeat, Repeat),
        ):
            check(name, value, allowed)
        mode = "new_episodes" if prune else mode
        self.name = shown(source.name)
        self._source = source
        self._broken = False
        loaded = self._load(mode)
        if mode == "none" and loaded is None:
            raise CassetteMissing(
                f"there is no cassette {self.name!r}; record it with mode='once', 'new_episodes', 'all' or 'rewrite'"
            )
        self.mode: Mode = mode
        self.pace: Pace = pace
        self.on_miss: OnMiss = on_miss
        self.closed = False
        self.lock = threading.RLock()  # functions of the user's may ask for more under it
        self._before = loaded or ()
        self._places: frozenset[tuple[str, str, int, str]] | None = None
        self._loaded: tuple[Recorded, ...] = () if mode == "rewrite" else self._before
        self._prune = prune
        self._dry_run = dry_run
        self.replay_only = dry_run or mode == "none" or (mode == "once" and bool(self._loaded))
        matching = matching or Matching()
        self._credentials = Credentials(_numbered(self._loaded))
        self._shelf = Shelf(self._loaded, matching, significant, self._credentials, repeat)
        self._explaining = Misses(self._shelf, matching, significant, advice)
        self._heads = heads(self._shelf.scope.headers)
        self._lanes = Lanes()
        self._by_lane = not self.replay_only or self._shelf.lanes
        self.ignores: Callable[[Request], bool] | None = getattr(source, "ignores", None)
        self._kept_request: Callable[[Request], Request] | None = getattr(source, "kept_request", None)
        self._slots = Slots(self._credentials, getattr(source, "kept_exchange", None))
        self._hits = 0
        self._missed: list[str] = []
        self._lost: list[str] = []
        self._stand_ins = StandIns(self._shelf)
        self._keeping = Keeping(source, self.name, self._merged, self._shelf.scope.headers)

    @property
    def recordings(self) -> tuple[Recorded, ...]:
        """What was loaded, in the order in which it was asked for."""
        return self._loaded

    def holds(self, method: str, url: str) -> bool:
        """Whether the cassette has, or had before it is written anew, any recording of this method, host and path."""
        if self._places is None:
            requests = [recorded.request for recorded in self._before]
            self._places = frozenset((each.method, *endpoint(each.url)) for each in requests)
        return (method, *endpoint(url)) in self._places

    @property
    def report(self) -> SessionReport:
        """What happened so far."""
        with self.lock:
            unused = () if self.mode == "all" else self._shelf.unplayed()
            return SessionReport(
                hits=self._hits,
                recorded=self._slots.filled(),
                misses=tuple(self._missed),
                unused=unused,
                total=len(self._loaded),
                anew=tuple(self._stand_ins.planned),
                dropped=unused if self._prune else (),
                failed=len(self._lost),
            )

    def find(
        self,
        request: Request,
        credential: Credential | Fingerprint = None,
        clean: Callable[[Request], Request] | None = None,
    ) -> Recorded | Slot:
        """The recording that answers, or a slot where the call is to go live.

        `credential` is a fingerprint of the one that the request was sent with, or takes it. `clean` takes secrets out
        of a request; one that equals a recorded one byte for byte has none. What the source `ignores` goes
        live and is not kept. Raises CassetteMiss where there is no answer and the mode forbids going live.
        """
        if self.ignores is not None and self.ignores(request):
            return Slot(0, sender_of(request, None))
        with self.lock:
            sender, compared = self._heads.of(request, credential)
            same = self._shelf.same(request, compared)
            if same is None and (self.replay_only or self.closed or self._shelf.recordings):
                request = self.as_kept(request, clean)
                same = self._shelf.same(request, self._heads.compared(request))
            if self.closed:
                raise self._miss(
                    f"cassette {self.name!r} is closed, and its client still asks {_title(request)}"
                )
            lane = self._lanes.current() if self._by_lane else 0
            place = self._shelf.find(request, same, lane, sender)
            if place is not None and self.mode != "all":  # which only learns whose credential it is
                recorded = self._loaded[place]
                if type(recorded.content) is Unread:
                    self._read(recorded.content)
                self._hits += 1
                return recorded
            if not self.replay_only:
                return self._slots.take(lane, sender)
            if self._dry_run and (stand_in := self._stand_ins.find(request)) is not None:
                return stand_in
        raise self._no_answer(request, sender)  # others need not wait for the explanation

    def as_kept(self, request: Request, clean: Callable[[Request], Request] | None = None) -> Request:
        """A request as it is kept, compared and shown; `clean` takes secrets out."""
        request = request if clean is None else clean(request)
        return request if self._kept_request is None else self._kept_request(request)

    def trip(self, text: str) -> CassetteMiss:
        """A miss that was found elsewhere: remembered here, and given to be raised."""
        with self.lock:
            self._missed.append(text)
        return CassetteMiss(text)

    def lose(self, text: str) -> None:
        """A call could not be recorded, and why; the cassette will not be kept without it."""
        with self.lock:
            self._lost.append(text)

    def count_variant(self, variant: Session) -> None:
        """A variant of this cassette ended: its misses are misses here, and what it played is in use."""
        with self.lock:
            self._missed += variant._missed
            self._shelf.count_variant(variant._shelf)

    def so_far(self) -> tuple[Recorded, ...]:
        """What the cassette would hold if its use ended well now."""
        return self._before if self.replay_only else tuple(self._merged(self._before, self._slots.recorded()))

    def answered(self) -> tuple[Recorded, ...]:
        """The recordings that were played, and the calls that were recorded, in this use."""
        with self.lock:
            played = () if self.mode == "all" else zip(self._loaded, self._shelf.played, strict=True)
            return (*(each for each, used in played if used), *self._slots.recorded())

    def close(self, *, save: bool, why: str = "it was discarded") -> None:
        """End the use; with `save`, keep what was recorded, as the mode says.

        Else put it beside the cassette, where its source can, and log that and `why`. Raises CassetteError
        where it cannot be kept, or where some calls could not be recorded; what was recorded is then put
        beside the cassette too.
        """
        with self.lock:
            if self.closed:
                return
            self.closed = True
        if self._dry_run or self.replay_only:
            return
        recorded = self._slots.recorded()
        if not save:
            self._keeping.reject(recorded, why)
        elif self._lost:
            self._keeping.refuse(
                recorded, f"{len(self._lost)} of its calls could not be recorded: {self._lost[0]}"
            )
        elif (
            recorded
            or (self.mode == "rewrite" and (self._before or self._broken))
            or (self._prune and self._shelf.unplayed())
        ):
            self._keeping.save(recorded, anew=self._broken)

    def _load(self, mode: Mode) -> tuple[Recorded, ...] | None:
        """What there is; where all of it is to be replaced, it may be broken."""
        load: Callable[[], tuple[Recorded, ...] | None] = self._source.load
        if mode in ("none", "once"):  # which write nothing where there is something
            load = getattr(self._source, "load_lazily", load)
        try:
            return load()
        except CassetteError as error:
            if mode != "rewrite" or isinstance(error, ForeignCassette):
                raise
            self._broken = True
            return None

    def _read(self, content: Unread) -> None:
        try:
            content.make_ready()
        except CassetteError as error:
            raise self._miss(str(error)) from error

    def _no_answer(self, request: Request, sender: Sender) -> CassetteMiss:
        title = f"cassette {self.name!r} (mode {self.mode!r}) has no answer to {_title(request)}"
        if self._dry_run:
            title += ", which would be recorded anew"
        return self._miss(f"{title}:\n{self._explaining.explain(request, sender)}")

    def _miss(self, text: str) -> CassetteMiss:
        with self.lock:
            self._missed.append(text)
        return CassetteMiss(text, respond=self.on_miss == "response" and not self.closed)

    def _merged(self, now: Sequence[Recorded], recorded: Sequence[Recorded]) -> list[Recorded]:
        dropped = self._shelf.unplayed() if self._prune else ()
        shelf = self._shelf
        return merge(self.mode, self._before, now, recorded, dropped, shelf.scope, shelf.matchers)


def _numbered(recordings: Sequence[Recorded]) -> set[tuple[Host, int]]:
    """Which credentials were recorded at which host."""
    return {(endpoint(each.request.url)[:2], each.credential) for each in recordings}


def _title(request: Request) -> str:
    return f"{request.method} {request.url}"
