"""The cassette that a user holds: a context in which calls are replayed or recorded."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from msgspec.structs import replace

from . import adapters
from .adapters import tripwire
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

T = TypeVar("T")


class Cassette:
    """A cassette in use, from `with` to its end.

    Inside, it covers the clients of its Recorder, those wrapped with `wrap`, and with `install=True`
    every client of the process. What was recorded is kept when the block ends without an exception,
    unless `discard` was called; else it is put beside the cassette where that is a file.
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
        self._token: Any = None
        self._wrapped: list[Any] = []
        self._discarded = False

    def __enter__(self) -> Self:
        if self._session is not None:
            raise CassetteError("this cassette is in use already; make another one with the same name")
        if not self._recording.active:
            raise CassetteError("the recorder of this cassette is closed; make another one")
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
        )
        if session.mode != "all":
            check_age(session.name, session.recordings, use.max_age, use.on_expired)
        self._session = self._last = session
        self._discarded = False
        self._token = self._recording.activate(session, self._varied())
        if use.install:
            adapters.install(self._recording, session)
        if self._guards(session):
            tripwire.arm(self._recording, session)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        session = self._active()
        self._session = None
        if self._use.install:
            adapters.uninstall(self._recording, session)
        if self._guards(session):
            tripwire.disarm(session)
        for client in self._wrapped:
            adapters.unwrap_clients(client, self._recording, session)
        self._wrapped.clear()
        self._recording.abandon_open(session)
        self._recording.deactivate(session, self._token)
        if (varied := self._varied()) is not None:
            varied.count_variant(session)
        why = "it was discarded" if kind is None else f"its block raised {kind.__qualname__}"
        session.close(save=kind is None and not self._discarded, why=why)
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
        self._wrapped += adapters.wrap_clients(client, self._recording, self._active())
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
        use = self._use
        source = VariantSource(self.name, self._load, variation(changes), select, times)
        return Cassette(
            self._recording,
            source,
            replace(
                use,
                mode="none",
                pace=pace or use.pace,
                repeat=repeat or use.repeat,
                max_age=None,
                on_unused="ignore",
                prune=False,
                dry_run=False,
            ),
            varies=self,
        )

    def lane(self, name: str) -> AbstractContextManager[None]:
        """Within `with`, identical requests are told apart by this name, not by the task or thread that asks."""
        return named_lane(name)

    def discard(self) -> None:
        """Do not keep what is recorded, although the block may end well."""
        self._active()
        self._discarded = True

    def _load(self) -> tuple[Recorded, ...] | None:
        """What the cassette holds now, with what was recorded so far."""
        return self._source.load() if self._session is None else self._session.so_far()

    def _varied(self) -> Session | None:
        """The use of the cassette that this one is a variant of, while it lasts."""
        return None if self._varies is None else self._varies._varied() or self._varies._session

    def _guards(self, session: Session) -> bool:
        """Whether a call that goes past this cassette is a miss."""
        wanted = self._use.install if self._use.tripwire is None else self._use.tripwire
        return wanted and session.mode == "none"

    def _active(self) -> Session:
        if self._session is None:
            raise CassetteError("the cassette is not in use; enter it with `with`")
        return self._session
