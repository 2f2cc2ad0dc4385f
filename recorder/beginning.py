"""How attempts begin: what they ask, their ids and tags, their span, and the journal's word of them."""

from __future__ import annotations

import time
from functools import partial
from time import perf_counter_ns
from typing import Protocol

from .attempt import Attempt
from .bare import bare_request
from .call import RequestHalf
from .capture import Capture
from .cassettes import Recorded, Session, Slot
from .dialects import attempt_number
from .ended import is_rewritten
from .exchange import Exchange, Headers, Request
from .guard import Guard
from .ids import new_id, operation_id
from .known_messages import LONG
from .pausing import is_paused
from .played import Home, Played, comes_whole
from .redact import Redactor
from .routes import Route
from .tagging import NO_TAGS, Tags, current_tags, tagged
from .telemetry import Telemetry

_NOT_KEPT = Capture(Request("", ""), 0, lambda exchange: None)
_NOT_KEPT.forget()


class Starts(Protocol):
    """Gets every live attempt before its send too, its request without secrets, and those dropped after that."""

    def start(self, attempt: Attempt, request: Request, started_us: int, *, redacted: bool) -> None: ...

    def drop(self, attempt: Attempt) -> None: ...


class Beginning:
    """Begins the attempts of one recorder, each of which tells its `home` how it ended.

    A request is read before its send where somebody looks at its span at once, where it is long, so that its messages
    are to be told apart, or where all are to be (`eager`); else later, if at all. One whose content is not stored is
    `bare` from the start; of those replayed, somebody must want to hear (`observed`), or nothing is captured.
    """

    def __init__(
        self,
        home: Home,
        redactor: Redactor,
        guard: Guard,
        *,
        telemetry: Telemetry | None,
        starts: Starts | None,
        bare: bool,
        observed: bool,
        eager: bool,
    ) -> None:
        self._home = home
        self._redactor = redactor
        self._guard = guard
        self._telemetry = telemetry
        self._starts = starts
        self._bare = bare
        self._observed = observed
        self._eager = eager
        self._traces_replays = telemetry is not None and telemetry.replays
        self._headers: Headers = ()

    def attempt(
        self, request: Request, route: Route, session: Session | None, *, nested: bool
    ) -> Attempt | Played:
        """An attempt that is about to be sent, or answered by a recording of the session's.

        Raises CassetteMiss where the session has no answer and the call must not go live.
        """
        started_us = time.time_ns() // 1000
        slot: Slot | None = None
        paused = is_paused()
        nested = nested or paused
        if session is not None:
            redactor = self._redactor
            found = session.find(request, redactor.credential, redactor.request)
            if isinstance(found, Recorded):
                return self._replayed(request, route, found, session, started_us, nested)
            slot = None if paused else found
        attempt = self._live(request, route, started_us, nested)
        attempt.slot = slot
        attempt.session = session
        attempt.paused = paused
        attempt.bare = self._bare
        if self._starts is not None and attempt.kept:
            self._write_down(attempt, request, started_us, self._starts)
        attempt.capture = Capture(request, started_us, partial(self._home.finish, attempt))
        return attempt

    def _live(self, request: Request, route: Route, started_us: int, nested: bool) -> Attempt:
        dialect, provider = route
        telemetry = (
            None if nested or self._telemetry is None or not self._telemetry.heard() else self._telemetry
        )
        half: RequestHalf | None = None
        if self._eager or len(request.body) >= LONG:
            half = dialect.read_request(request, provider)
        id = new_id(started_us // 1000)
        operation = operation_id(request.body, request.headers, id, attempt_number)
        tags = self._tags() if tagged() else NO_TAGS
        attempt = Attempt(dialect, provider, half, tags, id, operation, kept=not nested)
        if telemetry is not None:
            try:
                started = half is None and telemetry.start_unread(
                    dialect, provider, request, started_us, tags, operation
                )
                if not started:
                    half = attempt.half = half or dialect.read_request(request, provider)
                    started = telemetry.start(half, started_us, tags, operation)
                attempt.traced, attempt.trace_id, attempt.span_id = started
            except BaseException as error:
                if not self._guard.takes(error):
                    raise
        return attempt

    def _replayed(
        self,
        request: Request,
        route: Route,
        found: Recorded,
        session: Session,
        started_us: int,
        nested: bool,
    ) -> Attempt | Played:
        """An attempt at a recorded call; its request is read later, if anybody asks."""
        content = found.content
        playback = content if type(content) is Exchange else found.exchange
        kept = (self._observed and not nested) or playback.usage_asked
        id = operation = 0
        tags = NO_TAGS
        if kept:
            id = new_id(started_us // 1000)
            operation = operation_id(request.body, request.headers, id, attempt_number)
            tags = self._tags() if tagged() else NO_TAGS
            request = self._to_keep(request, playback.request)
        played = Played(
            self._home,
            route,
            tags,
            id,
            operation,
            session,
            self._bare,
            kept,
            playback,
            request,
            started_us,
            perf_counter_ns(),
        )
        if self._traces_replays or not comes_whole(playback, session):
            return self._with_attempt(played, session, nested)
        return played

    def _with_attempt(self, played: Played, session: Session, nested: bool) -> Attempt | Played:
        """A replay with an attempt made of it now: for its span, and because nobody else plays what comes in parts."""
        request, playback = played.request, played.playback
        made = played.attempt_made()
        made.kept, made.paused = played.kept, nested and is_paused()
        if self._telemetry is not None and self._traces_replays and not nested:
            self._trace_replay(made, request, played.started_us, self._telemetry)
        if comes_whole(playback, session) and (made.traced is None or made.traced.host is None):
            played.made = made
            return played
        finish = partial(self._home.finish, made)
        made.capture = Capture(request, played.started_us, finish) if played.kept else _NOT_KEPT
        return made

    def _trace_replay(
        self, attempt: Attempt, request: Request, started_us: int, telemetry: Telemetry
    ) -> None:
        with self._guard:
            attempt.half = attempt.dialect.read_request(request, attempt.provider)
            attempt.traced, attempt.trace_id, attempt.span_id = telemetry.start(
                attempt.half, started_us, attempt.tags, attempt.operation_id, replayed=True
            )

    def _write_down(self, attempt: Attempt, request: Request, started_us: int, starts: Starts) -> None:
        try:
            messages = None if attempt.half is None else attempt.half.raw_messages
            clean = attempt.clean = self._redactor.request(request, messages)
            redacted = is_rewritten(request, clean)
            if attempt.bare:
                half = attempt.dialect.read_request(clean, attempt.provider)  # its own may hold secrets
                clean = bare_request(clean, half, attempt.dialect.significant_headers)
            starts.start(attempt, clean, started_us, redacted=redacted)
        except BaseException as error:
            if not self._guard.takes(error):
                raise

    def _to_keep(self, request: Request, recorded: Request) -> Request:
        """The request of a replay, which is to hold little memory while it waits for the store."""
        if recorded.body != request.body:
            return request
        headers = self._headers
        if request.headers != headers:
            self._headers = headers = request.headers
        url = recorded.url if recorded.url == request.url else request.url
        return Request(recorded.method, url, headers, recorded.body)

    def _tags(self) -> Tags:
        with self._guard:
            return current_tags(self._redactor)
        return NO_TAGS
