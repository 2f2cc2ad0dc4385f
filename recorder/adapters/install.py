"""Record every client of the process, whoever creates it: the transport that a client chooses is wrapped on the way."""

from __future__ import annotations

import threading
from functools import partial
from types import ModuleType
from typing import Any

from ..cassettes import Session, Undecided
from ..cassettes_in_use import context_sessions
from ..errors import WrapError
from ..recording import Recording
from .clients import belongs_to_cassette, keeps_store, wrap_transport
from .import_watch import unwatch_imports, watch_imports
from .made_once import MadeOnce

_LIBRARIES = ("httpx", "httpx2")
_CLIENTS = ("Client", "AsyncClient")
_METHOD = "_transport_for_url"

_lock = threading.RLock()
_installed: list[tuple[Recording, Session | None]] = []
_originals: dict[type, Any] = {}
_made = MadeOnce()


def install(recording: Recording, session: Session | None = None) -> None:
    """From now on all clients record, those that exist and those to come; a second time changes nothing."""
    with _lock:
        if (recording, session) in _installed:
            return
        _installed.append((recording, session))
        watch_imports(_LIBRARIES, patch)


def uninstall(recording: Recording, session: Session | None = None) -> None:
    """Undo `install`; when nobody needs them any more, the libraries are again as they were."""
    with _lock:
        if (recording, session) in _installed:
            _installed.remove((recording, session))
        if _installed:
            return
        unwatch_imports(_LIBRARIES, patch)
        for kind, original in _originals.items():
            if getattr(kind.__dict__.get(_METHOD), "recorder_patched", False):
                setattr(kind, _METHOD, original)
        _originals.clear()


def patch(library: ModuleType) -> None:
    """Let the library's clients hand their requests to recording transports."""
    with _lock:
        for name in _CLIENTS:
            kind = getattr(library, name, None)
            if isinstance(kind, type) and kind not in _originals and _METHOD in kind.__dict__:
                original = _originals[kind] = kind.__dict__[_METHOD]
                setattr(kind, _METHOD, _made.of(original, partial(_choosing, original)))


def _choosing(original: Any) -> Any:
    def _transport_for_url(client: Any, url: Any) -> Any:
        transport = original(client, url)
        for recording, session in tuple(_installed):
            with recording.guard:
                if session is None and not keeps_store(transport, recording.settings.store):
                    transport = wrap_transport(transport, recording)
        if (chosen := _cassette_for(transport)) is not None:
            transport = _covered(transport, *chosen)
        return transport

    _transport_for_url.recorder_patched = True  # type: ignore[attr-defined]
    return _transport_for_url


def _covered(transport: Any, recording: Recording, session: Session) -> Any:
    """The transport within a cassette; where that only replays, one that cannot be covered is a miss."""
    try:
        return wrap_transport(transport, recording, session)
    except WrapError as error:
        if session.replay_only:
            raise session.trip(f"cassette {session.name!r} cannot cover this client: {error}") from error
        with recording.guard:
            raise
        return transport


def _cassette_for(transport: Any) -> tuple[Recording, Session] | None:
    """The installed cassette that covers this call: the innermost of the context.

    Contexts that know of no cassette use the only one. A transport that was made for one keeps to that.
    """
    installed = [(recording, session) for recording, session in _installed if session is not None]
    if not installed or belongs_to_cassette(transport):
        return None
    for session in reversed(context_sessions()):
        for each in installed:
            if each[1] is session:
                return each
    if entered := context_sessions():
        if any(not session.closed for session in entered):
            return None
        return installed[-1][0], entered[-1]  # closed, so that it says so
    if len(installed) == 1:
        return installed[0]
    return installed[-1][0], Undecided([session for _, session in installed])
