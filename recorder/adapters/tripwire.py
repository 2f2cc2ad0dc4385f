"""Fails calls to language models that go past the cassette which is being replayed, whichever client makes them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial, wraps
from inspect import iscoroutinefunction
from types import ModuleType
from typing import Any, NamedTuple

from ..cassettes import Session
from ..cassettes_in_use import context_sessions
from ..dialects import dialect_for
from ..exchange import Request, endpoint
from ..recording import Recording
from ..redact import Redactor
from ..settings import RedactionRules
from .hosts import NO_CALLS, is_loopback, serves_models
from .import_watch import unwatch_imports, watch_imports
from .made_once import MadeOnce
from .spots import SPOTS, Asked, comes_from

_LIBRARIES = tuple(SPOTS)
_INSTEAD = {"dspy": 'dspy.LM(..., engine="litellm")'}
"""What else to use, of libraries that leave a choice."""


class _Wire(NamedTuple):
    recording: Recording
    session: Session


_lock = threading.RLock()
_armed: list[_Wire] = []
_patched: dict[tuple[type, str], tuple[Any, Any]] = {}
_made = MadeOnce()


def arm(recording: Recording, session: Session) -> None:
    """From now on what goes past this cassette is a miss of it; undo with `disarm`."""
    with _lock:
        _armed.append(_Wire(recording, session))
        watch_imports(_LIBRARIES, _patch)


def disarm(session: Session) -> None:
    """This cassette's use ends; with the last one the libraries are again as they were."""
    with _lock:
        _armed[:] = [wire for wire in _armed if wire.session is not session]
        if _armed:
            return
        unwatch_imports(_LIBRARIES, _patch)
        for (kind, name), (original, ours) in list(_patched.items()):
            if kind.__dict__.get(name) is ours:  # else somebody patched on top, and calls on through ours
                setattr(kind, name, original)
                del _patched[kind, name]


def _patch(library: ModuleType) -> None:
    with _lock:
        for spot in SPOTS[library.__name__]:
            kind = getattr(library, spot.kind, None)
            original = getattr(kind, "__dict__", {}).get(spot.method)
            if kind is None or original is None or original is _patched.get((kind, spot.method), (0, 0))[1]:
                continue
            if comes_from(original, library.__name__):  # a mocking library's answers are its own business
                ours = _made.of(original, partial(_watched, original, spot.asked))
                _patched[kind, spot.method] = original, ours
                setattr(kind, spot.method, ours)


def _watched(original: Any, asked: Callable[..., Asked | None]) -> Any:
    """The method, which first looks where it is about to send to."""
    if iscoroutinefunction(original):

        @wraps(original)
        async def method(*arguments: Any, **options: Any) -> Any:
            if _armed:
                _check(asked(*arguments, **options))
            return await original(*arguments, **options)

    else:

        @wraps(original)
        def method(*arguments: Any, **options: Any) -> Any:
            if _armed:
                _check(asked(*arguments, **options))
            return original(*arguments, **options)

    return method


def _check(asked: Asked | None) -> None:
    """Raise CassetteMiss where this must not be sent."""
    if asked is None:
        return
    host, port, path = endpoint(asked.url)
    if (wire := _owner()) is None:
        return
    known = (
        wire.session.holds(asked.method, asked.url)
        if is_loopback(host)
        else _is_known(wire, host, port, path)
    )
    if not known:
        return
    ignores = wire.session.ignores
    if ignores is not None and ignores(Request(asked.method, asked.url)):
        return
    raise wire.session.trip(_explain(wire, asked, path))


def _owner() -> _Wire | None:
    """The armed cassette that calls of this context belong to; those of no cassette belong to the newest."""
    armed = tuple(_armed)
    for session in reversed(context_sessions()):
        if not session.closed:
            return next((wire for wire in armed if wire.session is session), None)
    return armed[-1] if armed else None


def _is_known(wire: _Wire, host: str, port: int, path: str) -> bool:
    """Whether the host serves models, or is one that the cassette has recordings of."""
    if path in NO_CALLS:
        return False
    if serves_models(host, port, path, wire.recording.settings.providers):
        return True
    return any(endpoint(recorded.request.url)[:2] == (host, port) for recorded in wire.session.recordings)


def _explain(wire: _Wire, asked: Asked, path: str) -> str:
    settings = wire.recording.settings
    clean = Redactor(settings.redact or RedactionRules()).request
    url = wire.session.as_kept(Request(asked.method, asked.url), clean).url
    if asked.client not in ("httpx", "httpx2"):
        advice = (
            f"recorder covers clients of httpx and httpx2, not {asked.client}: "
            f"use {_INSTEAD.get(asked.client, 'one of those')} for this call, "
            "mock it, or let it pass with tripwire=False"
        )
    elif dialect_for(asked.method, path, settings.record_paths) is None:
        advice = (
            f"record this path too, with record_paths=({path!r},), "
            "and cover the client with cassette.wrap(client) or install=True"
        )
    elif asked.recorded:
        advice = (
            "a Recorder records this client, which does not keep its calls from going live: cover it with "
            "cassette.wrap(client), or every client with install=True, or let it pass with tripwire=False"
        )
    else:
        advice = "cover its client with cassette.wrap(client), or every client with install=True"
    return (
        f"{asked.client} was about to send {asked.method} {url} to the network, past cassette "
        f"{wire.session.name!r} (mode 'none'); {advice}"
    )
