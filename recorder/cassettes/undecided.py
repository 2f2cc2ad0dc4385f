"""What stands in where several cassettes are in use, and a call belongs to none of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from ..exchange import Request
from .credentials import Credential
from .heads import Fingerprint
from .session import Session
from .source import Change, Recorded


class Undecided(Session):
    """Every request is a miss, of each of the cassettes that it might have been meant for."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        super().__init__(_Nothing(", ".join(repr(session.name) for session in sessions)))
        self._sessions = tuple(sessions)

    def find(
        self,
        request: Request,
        credential: Credential | Fingerprint = None,
        clean: Callable[[Request], Request] | None = None,
    ) -> NoReturn:
        request = request if clean is None else clean(request)
        text = (
            f"cassettes {self.name} are in use and this thread or task belongs to none of them, so none answers "
            f"{request.method} {request.url}; "
            "start it with contextvars.copy_context().run, or use cassette.wrap(client)"
        )
        misses = [session.trip(text) for session in self._sessions]
        raise misses[-1]


class _Nothing:
    """An empty cassette."""

    def __init__(self, name: str) -> None:
        self.name = name

    def load(self) -> tuple[Recorded, ...]:
        return ()

    def save(self, recordings: Sequence[Recorded]) -> None:
        raise AssertionError

    def update(self, change: Change) -> None:
        raise AssertionError
