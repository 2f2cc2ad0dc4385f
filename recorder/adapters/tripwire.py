"""Fails calls to language models that go past the cassette which is being replayed, whichever client makes them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import partial, wraps
from inspect import iscoroutinefunction
from types import ModuleType
from typing import Any, NamedTuple

from ..attempt import takers
from ..cassettes import Session
from ..cassettes_in_use import context_sessions
from ..dialects import dialect_for
from ..exchange import Request, endpoint
from ..recording import Recording
from ..redact import Redactor
from ..settings import RedactionRules
from .hosts import is_loopback, serves_models
from .import_watch import unwatch_imports, watch_imports
from .made_once import MadeOnce

_PORTS = {"http": 80, "https": 443}


class Asked(NamedTuple):
    """A request that a client is about to send; `recorded` where a Recorder would record it."""

    client: str
    method: str
    url: str
    recorded: bool = False


class Spot(NamedTuple):
    """Where a library sends: a method of a class, and what its arguments ask (None: somebody else answers)."""

    kind: str
    method: str
    asked: Callable[..., Asked | None]


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
        for spot in _SPOTS[library.__name__]:
            kind = getattr(library, spot.kind, None)
            original = getattr(kind, "__dict__", {}).get(spot.method)
            if kind is None or original is None or original is _patched.get((kind, spot.method), (0, 0))[1]:
                continue
            if _comes_from(original, library.__name__):  # a mocking library's answers are its own business
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
    if is_loopback(host) or (wire := _owner()) is None or not _is_known(wire, host, port, path):
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
    if serves_models(host, port, path, wire.recording.settings.providers):
        return True
    return any(endpoint(recorded.request.url)[:2] == (host, port) for recorded in wire.session.recordings)


def _explain(wire: _Wire, asked: Asked, path: str) -> str:
    settings = wire.recording.settings
    url = Redactor(settings.redact or RedactionRules()).request(Request(asked.method, asked.url)).url
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


def _comes_from(function: Any, library: str) -> bool:
    """Whether a function's code is the library's own; wrapt shows that of what it wraps, functools.wraps does not."""
    module: str = getattr(function, "__globals__", {}).get("__name__", "")
    return module.partition(".")[0] == library.partition(".")[0]


def _by_httpx(transport: Any, request: Any) -> Asked | None:
    pool = type(getattr(transport, "_pool", transport))
    for name in ("handle_request", "handle_async_request"):
        if (method := getattr(pool, name, None)) is not None and not _comes_from(method, pool.__module__):
            return None  # respx answers below
    sessions = takers(request)
    if any(session is not None and _may_take(session) for session in sessions):
        return None
    homes = (kind.__module__.partition(".")[0] for kind in type(transport).__mro__)
    home = next(home for home in homes if home in _SPOTS)
    return Asked(home, request.method, str(request.url), recorded=None in sessions)


def _may_take(session: Session) -> bool:
    """Whether this context has entered a cassette that lets a call go live, or knows of no cassette at all."""
    entered = [each for each in context_sessions() if not each.closed]
    return not entered or session in entered


def _by_urllib3(pool: Any, method: str, url: str, *_: Any, **__: Any) -> Asked | None:
    if pool.ConnectionCls.__module__.partition(".")[0] not in ("urllib3", "botocore"):
        return None  # vcrpy answers below
    if not url.startswith(("http://", "https://")):
        url = _joined(pool.scheme, pool.host, pool.port, url)
    return Asked(_caller("requests", "botocore") or "urllib3", method, url)


def _caller(*libraries: str) -> str | None:
    """Which of these libraries, that users know by their own names, has its hand in this call."""
    frame = sys._getframe(3)
    for _ in range(12):
        name = frame.f_globals.get("__name__", "")
        if (found := name if name in libraries else name.partition(".")[0]) in libraries:
            return str(found)
        if frame.f_back is None:
            break
        frame = frame.f_back
    return None


def _by_aiohttp(session: Any, method: str, url: Any, **_: Any) -> Asked | None:
    try:
        return Asked("aiohttp", method, str(session._build_url(url)))
    except (ValueError, TypeError):  # aiohttp says better what is wrong with it
        return None


def _by_http_client(connection: Any, method: str, url: str, *_: Any, **__: Any) -> Asked | None:
    if any(kind.__module__.partition(".")[0] in ("urllib3", "botocore") for kind in type(connection).__mro__):
        return None  # urllib3 was asked further up
    if not url.startswith(("http://", "https://")):  # else it is a proxy that is asked
        scheme = "https" if connection.default_port == _PORTS["https"] else "http"
        tunnel = connection._tunnel_host
        host, port = (tunnel, connection._tunnel_port) if tunnel else (connection.host, connection.port)
        url = _joined(scheme, host, port, url)
    return Asked(_caller("urllib.request") or "http.client", method, url)


def _by_dspy(transport: Any, request: Any) -> Asked:
    return Asked("dspy", request.method, request.url)


def _joined(scheme: str, host: str, port: int | None, target: str) -> str:
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}{'' if port in (None, _PORTS.get(scheme)) else f':{port}'}{target}"


_HTTPX = (
    Spot("HTTPTransport", "handle_request", _by_httpx),
    Spot("AsyncHTTPTransport", "handle_async_request", _by_httpx),
)
_SPOTS = {
    "httpx": _HTTPX,
    "httpx2": _HTTPX,
    "urllib3": (Spot("HTTPConnectionPool", "urlopen", _by_urllib3),),
    "aiohttp": (Spot("ClientSession", "_request", _by_aiohttp),),
    "http.client": (Spot("HTTPConnection", "request", _by_http_client),),  # urllib.request's too
    # dspy (3.4) brings a client of its own along, over bare sockets
    "dspy._vendor.lm15.transports._sync": (Spot("StdlibTransport", "stream", _by_dspy),),
    "dspy._vendor.lm15.transports._async": (Spot("StdlibAsyncTransport", "stream", _by_dspy),),
}
_INSTEAD = {"dspy": 'dspy.LM(..., engine="litellm")'}
"""What else to use, of libraries that leave a choice."""
_LIBRARIES = tuple(_SPOTS)
