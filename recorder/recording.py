"""What a transport knows of recording: it begins attempts here and tells them what happened."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar, Token
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import NamedTuple, Protocol
from urllib.parse import unquote

from opentelemetry.trace import Span

from .attempt import Attempt
from .capture import Capture
from .cassettes import Recorded, Session, Undecided
from .dialects import Dialect, attempt_number, dialect_for, provider_for
from .ended import Ended
from .exchange import Exchange, Request, endpoint
from .guard import Guard
from .ids import new_id, operation_id
from .redact import Redactor
from .settings import Settings
from .tagging import NO_TAGS, Tags, current_tags, tagged
from .telemetry import Spans

_Sessions = tuple[Session, ...]
_active: ContextVar[_Sessions] = ContextVar("recorder_active_cassettes", default=())


def context_sessions() -> tuple[Session, ...]:
    """The cassettes that this context has entered, of whichever recording; the innermost comes last."""
    return _active.get()


class Observer(Protocol):
    """Gets every attempt once, at its end, on the caller's thread; must not wait."""

    def __call__(self, ended: Ended, /) -> None: ...


class Route(NamedTuple):
    """How requests of one method and URL are read, and who answers them."""

    dialect: Dialect
    provider: str


class Recording:
    """Settings, redaction, spans, observers and cassettes in use; the only object a transport knows.

    `unrecorded` counts the calls that recorder itself failed to record.
    """

    def __init__(
        self,
        settings: Settings,
        observers: Sequence[Observer] = (),
        tracing: Callable[[Redactor], Spans] | None = None,
        on_abandoned: Callable[[], None] | None = None,
    ) -> None:
        self.settings = settings
        self.guard = Guard(settings.strict)
        self.active = True
        self.unrecorded = 0
        self._observers = tuple(observers)
        self._keeps = bool(self._observers) or tracing is not None
        self._redactor = Redactor(settings.redact)
        self._spans = tracing(self._redactor) if tracing is not None else None
        self._route = lru_cache(maxsize=1024)(self._find_route)
        self._on_abandoned = on_abandoned
        self._open: set[Attempt] = set()
        self._abandoned: SimpleQueue[Capture] = SimpleQueue()
        self._sessions: list[Session] = []
        self._variants: dict[Session, Session] = {}

    # What a transport asks

    def route(self, method: str, url: str) -> Route | None:
        """How to read such a request, or None where it is to pass through unrecorded."""
        if not self.active and not self._sessions:
            return None
        return self._route(method, url)

    def begin(self, request: Request, route: Route, session: Session | None = None) -> Attempt | None:
        """Half-read and redact a request, and start its attempt; None where recorder itself failed.

        `session` is the cassette that a transport was made for; else the active one counts. Raises
        CassetteMiss where that has no answer and must not go live.
        """
        if not self._abandoned.empty():
            self.reap()
        session = self.session() if session is None else self._in_place_of(session)
        with self.guard:
            return self._begin(request, route, session)
        self.unrecorded += 1
        if session is not None and session.replay_only:
            raise session.trip(
                f"cassette {session.name!r} could not be asked, since recorder failed; its log says why"
            )
        return None

    def session(self) -> Session | None:
        """The cassette that calls of this context go through.

        Contexts that know of none use the only one that is active, or its variant; with several it is a miss.
        """
        if not self._sessions:
            return None
        for session in reversed(_active.get()):
            if session in self._sessions:
                return session
        varied = self._variants.values()
        if len(sessions := [each for each in self._sessions if each not in varied]) > 1:
            return Undecided(sessions)
        return sessions[0]

    def _in_place_of(self, session: Session) -> Session:
        """The variant of a cassette that this context has entered; contexts that know of neither use the only one."""
        if not self._variants:
            return session
        for each in reversed(active := _active.get()):
            if each is session or self._variants.get(each) is session:
                return each
        variants = [each for each, varied in tuple(self._variants.items()) if varied is session]
        return (
            variants[0]
            if len(variants) == 1 and not any(each in self._sessions for each in active)
            else session
        )

    # What an attempt tells

    def finish(self, attempt: Attempt, exchange: Exchange) -> None:
        """An exchange ended: end its span, and hand it on. Never raises, unless strict."""
        self._open.discard(attempt)
        if not attempt.kept:
            return
        ended = Ended(attempt, exchange, self._redactor, self.guard)
        if attempt.span is not None:
            self._end_span(attempt.span, ended)
        if not self.active:
            return
        if (attempt.slot is not None or self.guard.strict) and not self._read(ended):
            self.unrecorded += 1
            return
        for observer in self._observers:
            with self.guard:
                observer(ended)
                continue
            self.unrecorded += 1

    def abandon(self, capture: Capture) -> None:
        """A stream was collected unread. Called by the collector: only notes it, `reap` does the work."""
        self._abandoned.put(capture)
        if self._on_abandoned is not None:
            self._on_abandoned()

    def reap(self) -> None:
        """End the exchanges whose streams nobody holds any more."""
        while True:
            try:
                capture = self._abandoned.get_nowait()
            except Empty:
                return
            capture.abandon()

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
        self._abandoned = SimpleQueue()
        for session in self._sessions:
            session.lock = threading.Lock()

    # Cassettes in use

    def activate(self, session: Session, varies: Session | None = None) -> Token[_Sessions]:
        """Let calls of this context go through a cassette; undo with `deactivate` and what this returns.

        One that `varies` another also answers the clients that were wrapped for that one.
        """
        self._sessions.append(session)
        if varies is not None:
            self._variants[session] = varies
        return _active.set((*_active.get(), session))

    def deactivate(self, session: Session, token: Token[_Sessions]) -> None:
        """The cassette is no longer in use."""
        self._sessions.remove(session)
        self._variants.pop(session, None)
        try:
            _active.reset(token)
        except ValueError:  # left in another context than it was entered in, as async fixtures do
            _active.set(tuple(each for each in _active.get() if each is not session))

    def _find_route(self, method: str, url: str) -> Route | None:
        host, port, path = endpoint(url)
        dialect = dialect_for(method, unquote(path), self.settings.record_paths)
        if dialect is None:
            return None
        return Route(dialect, provider_for(host, port, self.settings.providers))

    def _begin(self, request: Request, route: Route, session: Session | None) -> Attempt:
        started_us = time.time_ns() // 1000
        found = None
        if session is not None:
            redactor = self._redactor
            found = session.find(request, redactor.credential(request), redactor.request)
        if isinstance(found, Recorded):
            attempt = self._replay(request, route, found, started_us)
        else:
            attempt = self._record(request, route, started_us)
            attempt.slot = found
        attempt.session = session
        attempt.capture = Capture(request, started_us, attempt.finish)
        if attempt.kept:
            self._open.add(attempt)
        return attempt

    def _record(self, request: Request, route: Route, started_us: int) -> Attempt:
        dialect, provider = route
        half = dialect.read_request(request, provider)
        id = new_id(started_us // 1000)
        operation = operation_id(request.body, half.attempt, id)
        tags = self._tags() if tagged() else NO_TAGS
        attempt = Attempt(dialect, provider, half, tags, id, operation, self.finish)
        if self._spans is not None:
            with self.guard:
                attempt.span, attempt.trace_id, attempt.span_id = self._spans.start(half, started_us, tags)
        return attempt

    def _replay(self, request: Request, route: Route, found: Recorded, started_us: int) -> Attempt:
        """An attempt at a recorded call; its request is read later, if anybody asks."""
        dialect, provider = route
        kept = self._keeps or found.exchange.usage_asked
        id = operation = 0
        tags = NO_TAGS
        if kept:
            id = new_id(started_us // 1000)
            operation = operation_id(request.body, attempt_number(request.headers), id)
            tags = self._tags() if tagged() else NO_TAGS
        attempt = Attempt(dialect, provider, None, tags, id, operation, self.finish, kept=kept)
        attempt.playback, attempt.replayed = found, True
        return attempt

    def _tags(self) -> Tags:
        with self.guard:
            return current_tags(self._redactor.text)
        return NO_TAGS

    def _read(self, ended: Ended) -> bool:
        """Read an attempt now, for the cassette that it belongs to and for tests; whether recorder could."""
        with self.guard:
            if (slot := ended.attempt.slot) is not None:
                slot.fill(ended.exchange, ended.call.id)
            return bool(ended.call)
        return False

    def _end_span(self, span: Span, ended: Ended) -> None:
        with self.guard:
            if self._spans is not None and span.is_recording():
                self._spans.end(span, ended.attempt.provider, ended.wire, *ended.seen())
                return
        with self.guard:
            span.end()
