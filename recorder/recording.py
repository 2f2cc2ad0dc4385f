"""What a transport knows of recording: it begins attempts here and tells them what happened."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol

from .attempt import Attempt
from .beginning import Beginning, Starts
from .capture import Capture, qualified_name
from .cassettes import Heads, Session
from .cassettes_in_use import CassettesInUse
from .ended import Ended
from .errors import CassetteMiss
from .exchange import Exchange, Request
from .guard import Guard
from .pausing import is_paused
from .played import Played
from .redact import Redactor
from .routes import Route, Routes
from .sampling import Sampling
from .settings import Settings
from .telemetry import ChunkFilter, Names, Telemetry, TelemetrySettings, TerminalWatch, Traced

_MISS = qualified_name(CassetteMiss)


class Observer(Protocol):
    """Gets every attempt once, at its end, on the caller's thread; must not wait."""

    def __call__(self, ended: Ended | Played, /) -> None: ...


class Recording:
    """Settings, redaction, spans, observers and cassettes in use; the only object a transport knows.

    `unrecorded` counts the calls that recorder itself failed to record. It `rewrites` requests where they may be sent
    with more than the caller gave them.
    """

    def __init__(
        self,
        settings: Settings,
        observers: Sequence[Observer] = (),
        telemetry: Callable[[Redactor], Telemetry] | None = None,
        on_abandoned: Callable[[], None] | None = None,
        starts: Starts | None = None,
        sampling: Sampling | None = None,
    ) -> None:
        self.settings = settings
        self.guard = Guard(settings.strict)
        self.cassettes = CassettesInUse()
        self.active = True
        self.unrecorded = 0
        self._observers = tuple(observers)
        self._redactor = Redactor(settings.redact)
        self._telemetry = telemetry(self._redactor) if telemetry is not None else None
        self.rewrites = settings.include_usage or (self._telemetry is not None and self._telemetry.propagates)
        self.heads = lru_cache(maxsize=64)(Heads)  # cassettes of one recording take fingerprints alike
        routes = Routes(settings)
        self._find_route, self._find_any_route = routes.find, routes.find_any
        self._on_abandoned = on_abandoned
        self._starts = starts
        sampling = sampling or Sampling(settings)
        self._reading = self._redactor, self.guard, routes.provider, sampling
        self._beginning = Beginning(
            self,
            self._redactor,
            self.guard,
            telemetry=self._telemetry,
            starts=starts,
            bare=not sampling.store_content,
            observed=bool(self._observers) or telemetry is not None,
            eager=settings.include_usage,
        )
        self._open: set[Attempt | Played] = set()
        self._abandoned: deque[Capture | Played] = deque()

    @property
    def names(self) -> Names:
        """What its spans call things."""
        return TelemetrySettings().names if self._telemetry is None else self._telemetry.names

    # What a transport asks

    def route(self, method: str, url: str, session: Session | None = None) -> Route | None:
        """How to read such a request, or None where it is to pass through unrecorded.

        `session` is the cassette that the asking transport was made for. A cassette that was imported, or recorded
        with more `record_paths`, answers what it holds.
        """
        if (not self.active or is_paused()) and not self.cassettes.sessions and session is None:
            return None
        route = self._find_route(method, url)
        if route is None and self.cassettes.sessions:
            holder = self.cassettes.session_for(session)
            if holder is not None and holder.holds(method, url):
                return self._find_any_route(method, url)
        return route

    def begin(
        self, request: Request, route: Route, session: Session | None = None, *, nested: bool = False
    ) -> Attempt | Played | None:
        """Half-read a request, and start its attempt; None where recorder itself failed.

        `session` is the cassette that it goes through, as `cassettes` gives it. One that is `nested` in another
        attempt is nobody's but its cassette's; in a pause, nobody's at all. Raises CassetteMiss where the cassette has
        no answer and the call must not go live.
        """
        if self._abandoned:
            self.reap()
        try:
            attempt = self._beginning.attempt(request, route, session, nested=nested)
            if attempt.kept or attempt.slot is not None:
                self._open.add(attempt)
            return attempt
        except BaseException as error:
            if not self.guard.takes(error):
                raise
        self.unrecorded += 1
        if session is not None and session.replay_only:
            raise session.trip(
                f"cassette {session.name!r} could not be asked, since recorder failed; its log says why"
            )
        if session is not None:
            session.lose("recorder failed to begin with a call; its log says why")
        return None

    def watch_for_host(self, attempt: Attempt, inner: ChunkFilter | None) -> ChunkFilter:
        """What tells the span of another instrumentation before a stream's last chunk is handed on."""
        return TerminalWatch(lambda: self._tell_host(attempt), inner)

    def carried(self, attempt: Attempt) -> dict[str, str]:
        """The headers that connect the upstream's spans with the attempt's, where they are wanted."""
        if self._telemetry is not None and self._telemetry.propagates:
            with self.guard:
                return self._telemetry.carried(attempt.traced)
        return {}

    # What an attempt tells

    def finish(self, attempt: Attempt, exchange: Exchange) -> None:
        """An exchange ended: end its span, and hand it on. Never raises, unless strict."""
        self._open.discard(attempt)
        if attempt.paused or (not attempt.kept and attempt.slot is None):
            return
        ended = Ended(attempt, exchange, *self._reading)
        if attempt.traced is not None:
            self._end_traced(attempt.traced, ended)
        if not self.active:
            return
        if (attempt.slot is not None or self.guard.strict) and not self._read(ended):
            self._lose(attempt)
            self._drop(attempt)
            return
        if attempt.kept:
            self._observe(attempt, ended)

    def finish_played(self, played: Played, ended_ns: int) -> None:
        """A replay was read to its end: it is handed on as it is, unless somebody needs more of it now."""
        try:
            self._open.remove(played)  # atomic: of two threads that end it, one goes on
        except KeyError:
            return
        played.is_open, played.ended_ns = False, ended_ns
        if played.made is None and self.active and not self.guard.strict:
            self._observe(None, played)  # read once it is stored
        else:
            self.finish(played.attempt_made(), played.whole())

    def takes(self, played: Played) -> bool:
        """Whether a replay had not ended, which from now on it has."""
        try:
            self._open.remove(played)
        except KeyError:
            return False
        played.is_open = False
        return True

    def tell(self, attempt: Attempt, exchange: Exchange) -> Ended:
        """What an attempt came to, which is read when somebody asks."""
        return Ended(attempt, exchange, *self._reading)

    def _observe(self, attempt: Attempt | None, ended: Ended | Played) -> None:
        for observer in self._observers:
            try:
                observer(ended)
                continue
            except BaseException as error:
                if not self.guard.takes(error):
                    raise
            self.unrecorded += 1
            if attempt is not None:
                self._drop(attempt)

    def abandon(self, capture: Capture | Played) -> None:
        """A stream was collected unread. Called by the collector: only notes it, `reap` does the work."""
        self._abandoned.append(capture)
        if self._on_abandoned is not None:
            self._on_abandoned()

    def reap(self) -> None:
        """End the exchanges whose streams nobody holds any more."""
        while self._abandoned:
            try:
                capture = self._abandoned.popleft()
            except IndexError:  # another thread was faster
                return
            capture.abandon(collected=True)

    def abandon_open(self, session: Session | None = None) -> None:
        """End what is still open, of one cassette or altogether, as abandoned."""
        self.reap()
        for attempt in list(self._open):
            if session is None or attempt.session is session:
                attempt.capture.abandon()

    def begin_in_child(self) -> None:
        """After a fork, in the child: the open exchanges are the parent's, and so are held locks."""
        for attempt in list(self._open):
            attempt.capture.forget()
        self._open = set()
        self._abandoned = deque()
        self.cassettes.begin_in_child()

    def _lose(self, attempt: Attempt) -> None:
        self.unrecorded += 1
        if attempt.session is not None:
            attempt.session.lose("recorder failed to record a call; its log says why")

    def _drop(self, attempt: Attempt) -> None:
        with self.guard:
            if self._starts is not None:
                self._starts.drop(attempt)

    def _read(self, ended: Ended) -> bool:
        """Read an attempt now, for the cassette that it belongs to and for tests; whether recorder could."""
        with self.guard:
            slot = ended.attempt.slot
            if slot is not None and ended.wire.ending.exception != _MISS:  # then nothing was sent
                slot.fill(ended.exchange, ended.call.id)
            return bool(ended.call)
        return False

    def _tell_host(self, attempt: Attempt) -> None:
        with self.guard:
            if self._telemetry is not None and attempt.traced is not None and attempt.capture.left:
                ended = self.tell(attempt, attempt.capture.so_far())
                self._telemetry.tell_host(attempt.traced, attempt.provider, ended)

    def _end_traced(self, traced: Traced, ended: Ended) -> None:
        attempt = ended.attempt
        try:
            if self._telemetry is not None:
                self._telemetry.end(traced, attempt.provider, ended, attempt.replayed)
                return
        except BaseException as error:
            if not self.guard.takes(error):
                raise
        with self.guard:
            traced.give_up()
