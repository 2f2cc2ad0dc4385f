"""The cassette that a user holds: a context in which calls are replayed or recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from . import adapters
from .cassette_coverage import Coverage
from .cassette_decorator import decorated
from .cassette_spans import check_spans
from .cassettes import (
    CassetteSource,
    Changes,
    Mode,
    Pace,
    Recorded,
    Repeat,
    Select,
    Session,
    SessionReport,
    Use,
    VariantSource,
    check_age,
    check_unused,
    named_lane,
    variation,
)
from .dialects import SIGNIFICANT_HEADERS
from .errors import CassetteError
from .recording import Recording
from .telemetry.span_check import Spans

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_NOT_IN_USE = "the cassette is not in use; enter it with `with`"


class Cassette:
    """A cassette in use, from `with` to its end.

    Inside, it covers the clients of its Recorder, those wrapped with `wrap`, and with `install=True`
    every client of the process. What was recorded is kept when the block ends without an exception,
    unless `discard` was called; else it is put beside the cassette where that is a file. As a decorator
    of a function it is entered anew for each call.
    """

    def __init__(
        self, recording: Recording, source: CassetteSource, use: Use, varies: Cassette | None = None
    ) -> None:
        self._recording = recording
        self._source = source
        self._use = use
        self._varies = varies
        self._session: Session | None = None
        self._last: Session | None = None
        self._coverage = Coverage(recording, use)
        self._discarded: str | None = None

    def __call__(self, function: F) -> F:
        """The function, sync or async, each call of which uses this cassette anew."""
        return decorated(function, lambda: type(self)(self._recording, self._source, self._use, self._varies))

    def __enter__(self) -> Self:
        if self._session is not None:
            raise CassetteError("this cassette is in use already; make another one with the same name")
        if not self._recording.active:
            raise CassetteError("the recorder of this cassette is closed; make another one")
        session = self._new_session()
        try:
            self._put_in(session)
        except BaseException:
            self._take_out(session)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        session = self._session
        if session is None:
            raise CassetteError(_NOT_IN_USE)
        try:
            self._take_out(session)
        except BaseException as interrupt:
            try:
                self._take_out(session)
            finally:
                self._close(session, type(interrupt))
            raise
        if (varied := self._varied()) is not None:
            varied.count_variant(session)
        self._close(session, kind)
        if kind is None and session.mode not in ("all", "rewrite"):
            check_unused(session.name, session.recordings, session.report.unused, self._use.on_unused)

    @property
    def name(self) -> str:
        """The name of the cassette; of one kept in a file, its path as given."""
        return self._source.name

    @property
    def mode(self) -> Mode:
        """The mode in which it is, or was last, in use; before that, the one asked for."""
        return self._use.mode if self._last is None else self._last.mode

    @property
    def recordings(self) -> tuple[Recorded, ...]:
        """What the cassette held when it was entered, in the order in which it was asked for."""
        return self._active().recordings

    @property
    def report(self) -> SessionReport:
        """What happened so far, or in the last use; empty before the first one."""
        return SessionReport() if self._last is None else self._last.report

    def wrap(self, client: T) -> T:
        """Let a client, or the SDK object that holds it, use this cassette until the block ends; the same back."""
        self._coverage.wrap(client, self._active())
        return client

    def unwrap(self, client: T) -> T:
        """Undo `wrap` before the block ends."""
        adapters.unwrap_clients(client, self._recording, self._active())
        return client

    def transport(self, inner: T) -> T:
        """A transport that uses this cassette; it refuses requests once the block has ended."""
        wrapped: T = adapters.wrap_transport(inner, self._recording, self._active())
        return wrapped

    def variant(
        self,
        *,
        select: Select | None = None,
        times: int | None = None,
        pace: Pace | None = None,
        repeat: Repeat | None = None,
        **changes: Unpack[Changes],
    ) -> Cassette:
        """A cassette that plays changed recordings of this one, with the same options; this one stays as it is.

        Enter it inside the block of this one, whose clients then get its answers, or at any time after.
        `select` chooses the recordings to change, by index or by a function of the recorded exchange;
        all without it. With `times` the change comes so often before the recording itself, for code
        that tries again. `pace` and `repeat` replace this cassette's. `Changes` says what can be changed:

            with cassette.variant(fail_after_chunk=3, error="ReadTimeout"): ...
            with cassette.variant(status=429, retry_after=1, times=1, select=0): ...
            with cassette.variant(rechunk=seed, pace="virtual"): ...

        Raises SettingsError for a change that there is not; entering it raises CassetteError where a
        recording cannot be changed so.
        """
        source = VariantSource(self._source, self._load, variation(changes), select, times)
        return Cassette(self._recording, source, self._use.of_variant(pace, repeat), varies=self)

    def assert_spans(self, exporter: Spans | Iterable[Any]) -> None:
        """Assert that each call of the last use has one span, which says what was recorded.

        `exporter` is OpenTelemetry's `InMemorySpanExporter`, or any spans. Those of other instrumentations are
        compared too, as far as they go. Raises AssertionError that says what differs.
        """
        if self._last is None:
            raise CassetteError(_NOT_IN_USE)
        check_spans(self._last, self._recording, exporter)

    def lane(self, name: str) -> AbstractContextManager[None]:
        """Within `with`, identical requests are told apart by this name, not by the task or thread that asks."""
        return named_lane(name)

    def discard(self, why: str = "it was discarded") -> None:
        """Do not keep what is recorded, although the block may end well; `why` is what the log says of it."""
        self._active()
        self._discarded = why

    def _new_session(self) -> Session:
        use = self._use
        session = Session(
            self._source,
            use.mode,
            pace=use.pace,
            on_miss=use.on_miss,
            significant=SIGNIFICANT_HEADERS,
            matching=use.matching,
            repeat=use.repeat,
            prune=use.prune,
            dry_run=use.dry_run,
            advice=use.advice,
            heads=self._recording.heads,
        )
        if session.mode != "all":
            check_age(session.name, session.recordings, use.max_age, use.on_expired)
        return session

    def _put_in(self, session: Session) -> None:
        """From now on calls go through the cassette."""
        self._session = self._last = session
        self._discarded = None
        if session.recordings:  # known now, the way of its requests need not be found by the first one
            request = session.recordings[0].request
            self._recording.route(request.method, request.url, session)
        self._coverage.begin(session, self._varied())

    def _take_out(self, session: Session) -> None:
        """Undo `_put_in` and `wrap`; may be done again, where an interrupt came between two steps."""
        try:
            self._coverage.end(session)
        finally:
            self._session = None

    def _close(self, session: Session, kind: type[BaseException] | None) -> None:
        """Keep what was recorded, or not; what fails in this does not replace an error on its way out."""
        if kind is None and self._discarded is None:
            session.close(save=True)
            return
        why = self._discarded if kind is None else f"its block raised {kind.__qualname__}"
        with self._recording.guard:
            session.close(save=False, why=why or "")

    def _load(self) -> tuple[Recorded, ...] | None:
        """What the cassette holds now, with what was recorded so far."""
        return self._source.load() if self._session is None else self._session.so_far()

    def _varied(self) -> Session | None:
        """The use of the cassette that this one is a variant of, while it lasts."""
        return None if self._varies is None else self._varies._varied() or self._varies._session

    def _active(self) -> Session:
        if self._session is None:
            raise CassetteError(_NOT_IN_USE)
        return self._session
