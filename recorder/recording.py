"""What a transport knows of recording: it begins attempts here and tells them what happened."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar, Token
from queue import Empty, SimpleQueue
from typing import Protocol

from .attempt import Attempt, join
from .body import Answer, read_answer
from .call import AnswerHalf, Call
from .capture import Capture
from .cassettes import Recorded, Session
from .dialects import Dialect, dialect_for, provider_for
from .errors import CassetteMiss
from .exchange import Exchange, Request, endpoint
from .guard import Guard
from .ids import operation_id
from .redact import Redactor
from .settings import Settings
from .tagging import NO_TAGS, current_tags
from .telemetry import Spans

_Sessions = tuple[Session, ...]
_active: ContextVar[_Sessions] = ContextVar("recorder_active_cassettes", default=())


class Observer(Protocol):
    """Gets every call once, at its end, on the caller's thread; must not wait."""

    def __call__(self, exchange: Exchange, call: Call) -> None: ...


class Recording:
    """Settings, redaction, spans, observers and cassettes in use; the only object a transport knows.

    `unrecorded` counts the calls that recorder itself failed to record.
    """

    def __init__(
        self,
        settings: Settings,
        observers: Sequence[Observer] = (),
        spans: Spans | None = None,
        on_abandoned: Callable[[], None] | None = None,
    ) -> None:
        self.settings = settings
        self.guard = Guard(settings.strict)
        self.active = True
        self.unrecorded = 0
        self._observers = tuple(observers)
        self._spans = spans
        self._redactor = Redactor(settings.redact)
        self._on_abandoned = on_abandoned
        self._open: set[Attempt] = set()
        self._abandoned: SimpleQueue[Capture] = SimpleQueue()
        self._sessions: list[Session] = []

    # What a transport asks

    def dialect_for(self, method: str, path: str) -> Dialect | None:
        """How to read this request, or None where it is to pass through unrecorded."""
        if not self.active and not self._sessions:
            return None
        return dialect_for(method, path, self.settings.record_paths)

    def begin(self, request: Request, dialect: Dialect, session: Session | None = None) -> Attempt | None:
        """Half-read and redact a request, and start its attempt; None where recorder itself failed.

        `session` is the cassette that a transport was made for; else the active one counts. Raises
        CassetteMiss where that has no answer and must not go live.
        """
        if not self._abandoned.empty():
            self.reap()
        session = session or self.session()
        with self.guard:
            return self._begin(request, dialect, session)
        self.unrecorded += 1
        if session is not None and session.replay_only:
            raise CassetteMiss(
                f"cassette {session.name!r} could not be asked, since recorder failed; its log says why"
            )
        return None

    def session(self) -> Session | None:
        """The cassette that calls of this context go through.

        Contexts that know of none use the only one that is active; with several it is a miss.
        """
        if not self._sessions:
            return None
        for session in reversed(_active.get()):
            if session in self._sessions:
                return session
        if len(self._sessions) > 1:
            names = ", ".join(repr(session.name) for session in self._sessions)
            raise CassetteMiss(
                f"cassettes {names} are active and this thread or task belongs to none of them; "
                "start it with contextvars.copy_context().run, or use cassette.wrap(client)"
            )
        return self._sessions[0]

    # What an attempt tells

    def finish(self, attempt: Attempt, exchange: Exchange) -> None:
        """An exchange ended: redact, read and hand on. Never raises, unless strict."""
        self._open.discard(attempt)
        call = None
        with self.guard:
            exchange, answer = self._read(attempt, exchange)
            call = join(attempt, exchange, answer)
        if attempt.span is not None:
            with self.guard:
                Spans.end(attempt.span, call)
        if call is None:
            self.unrecorded += 1
            return
        if not self.active:
            return
        if attempt.slot is not None:
            attempt.slot.fill(exchange, call.id)
        for observer in self._observers:
            with self.guard:
                observer(exchange, call)
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

    def activate(self, session: Session) -> Token[_Sessions]:
        """Let calls of this context go through a cassette; undo with `deactivate` and what this returns."""
        self._sessions.append(session)
        return _active.set((*_active.get(), session))

    def deactivate(self, session: Session, token: Token[_Sessions]) -> None:
        """The cassette is no longer in use."""
        self._sessions.remove(session)
        try:
            _active.reset(token)
        except ValueError:  # left in another context than it was entered in, as async fixtures do
            _active.set(tuple(each for each in _active.get() if each is not session))

    def _begin(self, request: Request, dialect: Dialect, session: Session | None) -> Attempt:
        clean = self._redactor.request(request)
        host, port, _ = endpoint(clean.url)
        half = dialect.read_request(clean, provider_for(host, port, self.settings.providers))
        tags = NO_TAGS
        with self.guard:
            tags = current_tags(self._redactor.text)
        attempt = Attempt(dialect, half, tags, self.finish)
        attempt.operation_id = operation_id(request.body, half.attempt, attempt.id)
        if session is not None:
            attempt.session = session
            found = session.find(clean)
            if isinstance(found, Recorded):
                attempt.playback, attempt.replayed = found, True
            else:
                attempt.slot = found
        started_us = time.time_ns() // 1000
        if self._spans is not None and attempt.playback is None:
            with self.guard:
                attempt.span, attempt.trace_id, attempt.span_id = self._spans.start(half, started_us, tags)
        redacted = clean is not request and (clean.body != request.body or clean.url != request.url)
        attempt.capture = Capture(clean, started_us, attempt.finish, redacted=redacted)
        self._open.add(attempt)
        return attempt

    def _read(self, attempt: Attempt, exchange: Exchange) -> tuple[Exchange, AnswerHalf]:
        redactor = self._redactor
        exchange, answer = redactor.exchange(exchange, read_answer(exchange))
        half = self._read_answer(attempt, exchange, answer)
        if (half.streamed and redactor.suspicious(half.texts())) or (
            not half.choices and redactor.splits(answer)
        ):
            exchange, answer = redactor.deltas(exchange, answer)
            half = self._read_answer(attempt, exchange, answer)
        return exchange, half

    def _read_answer(self, attempt: Attempt, exchange: Exchange, answer: Answer) -> AnswerHalf:
        with self.guard:
            return attempt.dialect.read_answer(exchange, answer, attempt.half)
        return AnswerHalf(notes=("recorder failed to read the answer",))
