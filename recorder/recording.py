"""What a transport knows of recording: it begins attempts here and tells them what happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from .body import Answer, read_answer
from .call import AnswerHalf, Call, CallError, Outcome, RequestHalf
from .capture import Capture
from .cassettes import Recorded, Session, Slot
from .dialects import Dialect, dialect_for, provider_for
from .errors import CassetteMiss
from .exchange import Exchange, Request, endpoint
from .guard import Guard
from .identity import current_tags, new_id, operation_id
from .redact import Redactor
from .settings import Settings
from .telemetry import Spans, SpanScope
from .telemetry.spans import span_ids

_active: ContextVar[tuple[Session, ...]] = ContextVar("recorder_active_cassettes", default=())


class Observer(Protocol):
    """Gets every call once, at its end, on the caller's thread; must not wait."""

    def __call__(self, exchange: Exchange, call: Call) -> None: ...


class Attempt:
    """One attempt at one call, from before the send to its end.

    `playback` is the recording that answers it; nothing is sent then.
    """

    __slots__ = (
        "capture",
        "dialect",
        "half",
        "id",
        "operation_id",
        "playback",
        "recording",
        "session",
        "slot",
        "span",
        "tags",
    )

    def __init__(self, recording: Recording, dialect: Dialect, half: RequestHalf) -> None:
        self.recording = recording
        self.dialect = dialect
        self.half = half
        self.id = new_id()
        self.operation_id = self.id
        self.tags = current_tags()
        self.session: Session | None = None
        self.slot: Slot | None = None
        self.playback: Recorded | None = None
        self.span: Any = None
        self.capture: Capture

    def enter(self) -> SpanScope | None:
        """Make the attempt's span current, around the send alone."""
        return Spans.enter(self.span) if self.span is not None else None

    @staticmethod
    def leave(scope: SpanScope | None) -> None:
        """Make current what was so before."""
        if scope is not None:
            Spans.leave(scope)

    def finish(self, exchange: Exchange) -> None:
        """The capture's end."""
        self.recording.finish(self, exchange)

    def is_complete(self, exchange: Exchange) -> bool:
        """Whether an exchange holds a whole answer, by the protocol's own end."""
        return self.dialect.read_answer(exchange, read_answer(exchange), self.half).complete


class Recording:
    """Settings, redaction, spans, observers and cassettes in use; the only object a transport knows."""

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
        self.mark = f"recorder.{id(self):x}"
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
        return dialect_for(method, path, self.settings.record_paths)

    def begin(self, request: Request, dialect: Dialect, session: Session | None = None) -> Attempt | None:
        """Half-read and redact a request, and start its attempt; None where recorder itself failed.

        `session` is the cassette that a transport was made for; else the active one counts. Raises
        CassetteMiss where that has no answer and must not go live.
        """
        if not self._abandoned.empty():
            self.reap()
        session = session or self.session()
        attempt = None
        with self.guard:
            attempt = self._begin(request, dialect, session)
        if attempt is None and session is not None and session.replay_only:
            raise CassetteMiss(
                f"cassette {session.name!r} could not be asked, since recorder failed; its log says why"
            )
        return attempt

    def session(self) -> Session | None:
        """The cassette that calls of this context go through.

        Threads that know of none use the only one that is active; with several it is a miss.
        """
        if not self._sessions:
            return None
        for session in reversed(_active.get()):
            if session in self._sessions:
                return session
        if len(self._sessions) > 1:
            names = ", ".join(repr(session.name) for session in self._sessions)
            raise CassetteMiss(
                f"cassettes {names} are active and this thread belongs to none of them; "
                "start it with contextvars.copy_context().run, or use cassette.wrap(client)"
            )
        return self._sessions[0]

    # What an attempt tells

    def finish(self, attempt: Attempt, exchange: Exchange) -> None:
        """An exchange ended: redact, read and hand on. Never raises, unless strict."""
        self._open.discard(attempt)
        with self.guard:
            exchange, half = self._read(attempt, exchange)
            call = _join(attempt, exchange, half)
            with self.guard:
                if attempt.span is not None and self._spans is not None:
                    self._spans.end(attempt.span, call)
            if attempt.slot is not None:
                attempt.slot.fill(exchange, call.id)
            if self.active:
                for observer in self._observers:
                    with self.guard:
                        observer(exchange, call)

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

    def forget_open(self) -> None:
        """After a fork, in the child: the open exchanges are the parent's."""
        for attempt in list(self._open):
            attempt.capture.forget()
        self._open = set()
        self._abandoned = SimpleQueue()

    # Cassettes in use

    def activate(self, session: Session) -> Any:
        """Let calls of this context go through a cassette; undo with `deactivate` and what this returns."""
        self._sessions.append(session)
        return _active.set((*_active.get(), session))

    def deactivate(self, session: Session, token: Any) -> None:
        """The cassette is no longer in use."""
        self._sessions.remove(session)
        try:
            _active.reset(token)
        except ValueError:  # left in another context than it was entered in, as async fixtures do
            _active.set(tuple(each for each in _active.get() if each is not session))

    def _begin(self, request: Request, dialect: Dialect, session: Session | None) -> Attempt:
        redacted = self._redactor.request(request)
        host, port, _ = endpoint(redacted.url)
        half = dialect.read_request(redacted, provider_for(host, port, self.settings.providers))
        attempt = Attempt(self, dialect, half)
        attempt.operation_id = operation_id(request.body, half.attempt, attempt.id)
        if session is not None:
            attempt.session = session
            found = session.find(redacted)
            if isinstance(found, Recorded):
                attempt.playback = found
            else:
                attempt.slot = found
        started_us = time.time_ns() // 1000
        if self._spans is not None and attempt.playback is None:
            attempt.span = self._spans.start(half, started_us, attempt.tags)
        attempt.capture = Capture(redacted, started_us, attempt.finish)
        self._open.add(attempt)
        return attempt

    def _read(self, attempt: Attempt, exchange: Exchange) -> tuple[Exchange, AnswerHalf]:
        redactor = self._redactor
        exchange, answer = redactor.exchange(exchange, read_answer(exchange))
        half = self._read_answer(attempt, exchange, answer)
        if half.streamed and redactor.suspicious(half.texts()):
            exchange, answer = redactor.deltas(exchange, answer)
            half = self._read_answer(attempt, exchange, answer)
        return exchange, half

    def _read_answer(self, attempt: Attempt, exchange: Exchange, answer: Answer) -> AnswerHalf:
        with self.guard:
            return attempt.dialect.read_answer(exchange, answer, attempt.half)
        return AnswerHalf(notes=("recorder failed to read the answer",))


def _join(attempt: Attempt, exchange: Exchange, answer: AnswerHalf) -> Call:
    """Both halves and the circumstances, as one call."""
    ending, head, half, tags = exchange.ending, exchange.head, attempt.half, attempt.tags
    outcome, error = _outcome(exchange, answer)
    trace_id, span_id = span_ids(attempt.span)
    return Call(
        id=attempt.id,
        operation_id=attempt.operation_id,
        started_us=exchange.started_us,
        duration_ns=ending.at_ns,
        request=half,
        answer=answer,
        outcome=outcome,
        http_status=head.status if head is not None else None,
        error=error,
        first_byte_ns=head.at_ns if head is not None else None,
        trace_id=trace_id,
        span_id=span_id,
        session_id=tags.session_id,
        user_id=half.user_id if tags.user_id is None else tags.user_id,
        tags=tags.others,
        replayed=attempt.playback is not None,
        cassette=attempt.session.name if attempt.session is not None else None,
    )


def _outcome(exchange: Exchange, answer: AnswerHalf) -> tuple[Outcome, CallError | None]:
    """An answer that came whole is `ok`, however its stream was left; what the transport raised is an error."""
    ending = exchange.ending
    if ending.kind == "error":
        return "error", CallError(ending.exception or "_OTHER", ending.message or ending.exception or "")
    if answer.error is not None:
        return "error", answer.error
    if answer.complete:
        return "ok", None
    if ending.kind == "cancelled":
        return "cancelled", None
    redirected = exchange.head is not None and 300 <= exchange.head.status < 400
    return ("ok" if redirected and ending.kind == "complete" else "incomplete"), None
