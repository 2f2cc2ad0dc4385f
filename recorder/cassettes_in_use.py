"""Which cassette a call goes through: of those in use, the one of its context."""

from __future__ import annotations

import threading
from contextvars import ContextVar

from .cassettes import Session, Undecided

_entered: ContextVar[tuple[Session, ...]] = ContextVar("recorder_entered_cassettes", default=())


def context_sessions() -> tuple[Session, ...]:
    """The cassettes that this context has entered, of whichever recording; the innermost comes last."""
    return _entered.get()


class CassettesInUse:
    """The cassettes of one recording that are in use, in whichever context they were entered: its `sessions`."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self._variants: dict[Session, Session] = {}

    def activate(self, session: Session, varies: Session | None = None) -> None:
        """Let calls of this context go through a cassette; undo with `deactivate`.

        One that `varies` another also answers the clients that were wrapped for that one.
        """
        self.sessions.append(session)
        if varies is not None:
            self._variants[session] = varies
        _entered.set((*_entered.get(), session))

    def deactivate(self, session: Session) -> None:
        """The cassette is no longer in use, if it was."""
        if session in self.sessions:
            self.sessions.remove(session)
        self._variants.pop(session, None)
        # not reset: others may have been entered since, and async fixtures leave in another context
        _entered.set(tuple(each for each in _entered.get() if each is not session))

    def session_for(self, session: Session | None) -> Session | None:
        """The cassette that a call goes through: that which its transport was made for, else the context's.

        Contexts that know of none use the only one that is active, or its variant; with several it is a miss, as it is
        in a context whose cassettes have all been closed.
        """
        if session is not None:
            return self._in_place_of(session) if self._variants else session
        if not self.sessions:
            return None
        for session in reversed(entered := _entered.get()):
            if session in self.sessions:
                return session
        if entered and all(each.closed for each in entered):
            return entered[-1]
        varied = self._variants.values()
        if len(sessions := [each for each in self.sessions if each not in varied]) > 1:
            return Undecided(sessions)
        return sessions[0]

    def begin_in_child(self) -> None:
        """After a fork, in the child: a lock that another thread held is held for ever."""
        for session in self.sessions:
            session.lock = threading.RLock()

    def _in_place_of(self, session: Session) -> Session:
        """The variant of a cassette that this context has entered; contexts that know of neither use the only one."""
        for each in reversed(entered := _entered.get()):
            if each is session or self._variants.get(each) is session:
                return each
        variants = [each for each, varied in tuple(self._variants.items()) if varied is session]
        if len(variants) == 1 and not any(each in self.sessions for each in entered):
            return variants[0]
        return session
