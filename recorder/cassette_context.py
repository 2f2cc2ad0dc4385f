"""The cassette that a user holds: a context in which calls are replayed or recorded."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from . import adapters
from .cassettes import CassetteSource, Mode, OnMiss, Pace, Recorded, Session
from .dialects import SIGNIFICANT_HEADERS
from .errors import CassetteError
from .guard import logger
from .recording import Recording

T = TypeVar("T")


class Cassette:
    """A cassette in use, from `with` to its end.

    Inside, it covers the clients of its Recorder, those wrapped with `wrap`, and with `install=True`
    every client of the process. What was recorded is kept when the block ends without an exception.
    """

    def __init__(
        self,
        recording: Recording,
        source: Callable[[], CassetteSource],
        *,
        mode: Mode = "none",
        pace: Pace = "instant",
        on_miss: OnMiss = "raise",
        install: bool = False,
    ) -> None:
        self._recording = recording
        self._source = source
        self._mode: Mode = mode
        self._pace: Pace = pace
        self._on_miss: OnMiss = on_miss
        self._install = install
        self._session: Session | None = None
        self._token: Any = None
        self._wrapped: list[Any] = []

    def __enter__(self) -> Self:
        if self._session is not None:
            raise CassetteError("this cassette is in use already; make another one with the same name")
        if not self._recording.active:
            raise CassetteError("the recorder of this cassette is closed; make another one")
        session = Session(
            self._source(),
            self._mode,
            pace=self._pace,
            on_miss=self._on_miss,
            significant=SIGNIFICANT_HEADERS,
        )
        self._session = session
        self._token = self._recording.activate(session)
        if self._install:
            adapters.install(self._recording, session)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        session = self._active()
        self._session = None
        if self._install:
            adapters.uninstall(self._recording, session)
        for client in self._wrapped:
            adapters.unwrap_clients(client, self._recording, session)
        self._wrapped.clear()
        self._recording.abandon_open(session)
        self._recording.deactivate(session, self._token)
        if kind is not None and not session.replay_only:
            logger.warning(
                "cassette %r is not kept, since its block raised %s", session.name, kind.__qualname__
            )
        session.close(save=kind is None)

    @property
    def recordings(self) -> tuple[Recorded, ...]:
        """What the cassette held when it was entered, in the order in which it was asked for."""
        return self._active().recordings

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

    def _active(self) -> Session:
        if self._session is None:
            raise CassetteError("the cassette is not in use; enter it with `with`")
        return self._session
