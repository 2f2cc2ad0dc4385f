"""How attempts begin: what they ask, their ids and tags, their span, and the journal's word of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

from .attempt import Attempt
from .bare import bare_request
from .capture import Capture
from .cassettes import Recorded, Session
from .dialects import Dialect, attempt_number
from .ended import is_rewritten
from .exchange import Exchange, Headers, Request
from .guard import Guard
from .ids import new_id, operation_id
from .pausing import is_paused
from .redact import Redactor
from .replay_capture import ReplayCapture
from .tagging import NO_TAGS, Tags, current_tags, tagged
from .telemetry import Telemetry

_NOT_KEPT = Capture(Request("", ""), 0, lambda exchange: None)
_NOT_KEPT.forget()


class Starts(Protocol):
    """Gets every live attempt before its send too, its request without secrets, and those dropped after that."""

    def start(self, attempt: Attempt, request: Request, started_us: int, *, redacted: bool) -> None: ...

    def drop(self, attempt: Attempt) -> None: ...


class Route(NamedTuple):
    """How requests of one method and URL are read, and who answers them."""

    dialect: Dialect
    provider: str


class Beginning:
    """Begins the attempts of one recorder, each of which tells `on_end` how it ended.

    One whose content is not stored is `bare` from the start; of those replayed, somebody must want to hear
    (`observed`), or nothing is captured.
    """

    def __init__(
        self,
        on_end: Callable[[Attempt, Exchange | ReplayCapture], None],
        redactor: Redactor,
        guard: Guard,
        *,
        telemetry: Telemetry | None,
        starts: Starts | None,
        bare: bool,
        observed: bool,
    ) -> None:
        self._on_end = on_end
        self._redactor = redactor
        self._guard = guard
        self._telemetry = telemetry
        self._starts = starts
        self._bare = bare
        self._observed = observed
        self._headers: Headers = ()

    def attempt(self, request: Request, route: Route, session: Session | None, *, nested: bool) -> Attempt:
        """An attempt that is about to be sent, or answered by a recording of the session's.

        Raises CassetteMiss where the session has no answer and the call must not go live.
        """
        started_us = time.time_ns() // 1000
        found, paused = None, is_paused()
        nested = nested or paused
        if session is not None:
            redactor = self._redactor
            found = session.find(request, redactor.credential(request), redactor.request)
        if isinstance(found, Recorded):
            attempt = self._replayed(request, route, found, started_us, nested)
        else:
            attempt = self._live(request, route, started_us, nested)
            attempt.slot = None if paused else found
        attempt.session = session
        attempt.paused = paused
        attempt.bare = self._bare
        if attempt.playback is not None:
            attempt.capture = self._capture_of_replay(attempt, request, attempt.playback, started_us)
            return attempt
        if self._starts is not None and attempt.kept:
            self._write_down(attempt, request, started_us, self._starts)
        attempt.capture = Capture(request, started_us, attempt.finish)
        return attempt

    def _live(self, request: Request, route: Route, started_us: int, nested: bool) -> Attempt:
        dialect, provider = route
        half = dialect.read_request(request, provider)
        id = new_id(started_us // 1000)
        operation = operation_id(request.body, half.attempt, id, int)
        tags = self._tags() if tagged() else NO_TAGS
        attempt = Attempt(dialect, provider, half, tags, id, operation, self._on_end, kept=not nested)
        if self._telemetry is not None and not nested:
            try:
                attempt.traced, attempt.trace_id, attempt.span_id = self._telemetry.start(
                    half, started_us, tags, operation
                )
            except BaseException as error:
                if not self._guard.takes(error):
                    raise
        return attempt

    def _replayed(
        self, request: Request, route: Route, found: Recorded, started_us: int, nested: bool
    ) -> Attempt:
        """An attempt at a recorded call; its request is read later, if anybody asks."""
        dialect, provider = route
        playback = found.exchange
        kept = (self._observed and not nested) or playback.usage_asked
        id = operation = 0
        tags = NO_TAGS
        if kept:
            id = new_id(started_us // 1000)
            operation = operation_id(request.body, request.headers, id, attempt_number)
            tags = self._tags() if tagged() else NO_TAGS
        attempt = Attempt(dialect, provider, None, tags, id, operation, self._on_end, kept=kept)
        attempt.playback, attempt.replayed = playback, True
        if self._telemetry is not None and self._telemetry.replays and not nested:
            with self._guard:
                attempt.half = dialect.read_request(request, provider)
                attempt.traced, attempt.trace_id, attempt.span_id = self._telemetry.start(
                    attempt.half, started_us, tags, operation, replayed=True
                )
        return attempt

    def _write_down(self, attempt: Attempt, request: Request, started_us: int, starts: Starts) -> None:
        try:
            messages = None if attempt.half is None else attempt.half.raw_messages
            clean = attempt.clean = self._redactor.request(request, messages)
            redacted = is_rewritten(request, clean)
            if attempt.bare:
                half = attempt.half or attempt.dialect.read_request(clean, attempt.provider)
                clean = bare_request(clean, half, attempt.dialect.significant_headers)
            starts.start(attempt, clean, started_us, redacted=redacted)
        except BaseException as error:
            if not self._guard.takes(error):
                raise

    def _capture_of_replay(
        self, attempt: Attempt, request: Request, playback: Exchange, started_us: int
    ) -> Capture:
        """What a replay is captured with, which is to hold little memory while it waits for the store."""
        if not attempt.kept:
            return _NOT_KEPT
        asked = playback.request
        if asked.body == request.body:  # else it would hold the caller's
            if request.headers != self._headers:
                self._headers = request.headers
            url = asked.url if asked.url == request.url else request.url
            request = Request(asked.method, url, self._headers, asked.body)
        return ReplayCapture(request, started_us, partial(self._on_end, attempt))

    def _tags(self) -> Tags:
        with self._guard:
            return current_tags(self._redactor)
        return NO_TAGS
