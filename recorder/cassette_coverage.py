"""Whose calls a cassette answers and records while it is in use."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from . import adapters
from .adapters import tripwire
from .cassettes import Session, Use
from .recording import Recording


class Coverage:
    """The calls of a context, the clients that were wrapped, and with the option `install` all of the process."""

    def __init__(self, recording: Recording, use: Use) -> None:
        self._recording = recording
        self._use = use
        self._wrapped: list[Any] = []

    def begin(self, session: Session, varied: Session | None) -> None:
        """From now on calls go through the cassette; `varied` is the one that it is a variant of."""
        self._recording.cassettes.activate(session, varied)
        if self._use.install:
            adapters.install(self._recording, session)
        if self._guards(session):
            tripwire.arm(self._recording, session)

    def wrap(self, client: Any, session: Session) -> None:
        """Until the end, a client, or the SDK object that holds it, is covered too."""
        self._wrapped += adapters.wrap_clients(client, self._recording, session)

    def end(self, session: Session) -> None:
        """Undo `begin` and `wrap`; may be done again, where an interrupt came between two steps."""
        recording = self._recording
        with ExitStack() as steps:  # the last one first, and all of them whichever fails
            steps.callback(recording.cassettes.deactivate, session)
            steps.callback(recording.abandon_open, session)
            for client in self._wrapped:
                steps.callback(adapters.unwrap_clients, client, recording, session)
            if self._guards(session):
                steps.callback(tripwire.disarm, session)
            if self._use.install:
                steps.callback(adapters.uninstall, recording, session)
        self._wrapped.clear()

    def _guards(self, session: Session) -> bool:
        """Whether a call that goes past this cassette is a miss."""
        return self._use.tripwire is not False and session.mode == "none"
