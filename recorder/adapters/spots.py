"""Where libraries send: the methods through which each goes out, and what their arguments ask."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple

from ..attempt import takers
from ..cassettes import Session
from ..cassettes_in_use import context_sessions

_PORTS = {"http": 80, "https": 443}
_DEPTH = 12


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


def comes_from(function: Any, library: str) -> bool:
    """Whether a function's code is the library's own; wrapt shows that of what it wraps, functools.wraps does not."""
    module: str = getattr(function, "__globals__", {}).get("__name__", "")
    return module.partition(".")[0] == library.partition(".")[0]


def _by_httpx(transport: Any, request: Any) -> Asked | None:
    pool = type(getattr(transport, "_pool", transport))
    for name in ("handle_request", "handle_async_request"):
        if (method := getattr(pool, name, None)) is not None and not comes_from(method, pool.__module__):
            return None  # respx answers below
    homes = (kind.__module__.partition(".")[0] for kind in type(transport).__mro__)
    return _unless_taken(next(home for home in homes if home in SPOTS), request)


def _unless_taken(library: str, request: Any) -> Asked | None:
    """What a client of httpx or httpx2 asks, unless a cassette above lets it go live."""
    sessions = takers(request)
    if any(session is not None and _may_take(session) for session in sessions):
        return None
    return Asked(library, request.method, str(request.url), recorded=None in sessions)


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
    for _ in range(_DEPTH):
        name = frame.f_globals.get("__name__", "")
        if (found := name if name in libraries else name.partition(".")[0]) in libraries:
            return str(found)
        if frame.f_back is None:
            break
        frame = frame.f_back
    return None


def _by_aiohttp(session: Any, method: str, url: Any, **_: Any) -> Asked | None:
    try:
        url = session._build_url(url)
    except (ValueError, TypeError):  # aiohttp says better what is wrong with it
        return None
    if (request := _request_above(url.host)) is not None:
        return _unless_taken(type(request).__module__.partition(".")[0], request)
    return Asked("aiohttp", method, str(url))


def _request_above(host: str) -> Any:
    """The request of a client of httpx or httpx2 that goes out through aiohttp, as those of litellm do."""
    frame: FrameType | None = sys._getframe(3)
    for _ in range(_DEPTH):
        if frame is None:
            break
        if frame.f_code.co_name == "handle_async_request":
            request: Any = frame.f_locals.get("request")
            library = type(request).__module__.partition(".")[0]
            if library in ("httpx", "httpx2") and request.url.host == host:  # not that of the test's client
                return request
        frame = frame.f_back
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
SPOTS = {
    "httpx": _HTTPX,
    "httpx2": _HTTPX,
    "urllib3": (Spot("HTTPConnectionPool", "urlopen", _by_urllib3),),
    "aiohttp": (Spot("ClientSession", "_request", _by_aiohttp),),
    "http.client": (Spot("HTTPConnection", "request", _by_http_client),),  # urllib.request's too
    # dspy (3.4) brings a client of its own along, over bare sockets
    "dspy._vendor.lm15.transports._sync": (Spot("StdlibTransport", "stream", _by_dspy),),
    "dspy._vendor.lm15.transports._async": (Spot("StdlibAsyncTransport", "stream", _by_dspy),),
}
