"""Who may look: the Host that is asked for, the token or the proxy's header, and what browsers are told."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "recorder_ui"
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = (
    ("Content-Security-Policy", CSP),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
_SIGN_IN = (
    "This page wants a token. Open it with ?token=… behind its address, as `recorder ui` printed it, "
    "or send the header `Authorization: Bearer …`.\n"
)
_NO_USER = (
    "This page is open only to who comes through its proxy, which says in the header {} who asks. "
    "Open it at the proxy's address; if that is what you did, the proxy does not send the header.\n"
)


class Access(Struct, frozen=True):
    """Who is let in: under which names the page is served (None is any), and by what they show."""

    hosts: frozenset[str] | None = LOOPBACK
    token: str | None = None
    proxy_user_header: str | None = None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def access_for(host: str, token: str | None, proxy_user_header: str | None, names: Collection[str]) -> Access:
    """Who is let in where the page listens on `host`.

    Behind a token any name may lead here, since a page of another site has no cookie of ours; without one, names
    are what keeps out a site whose name an attacker lets point to this machine (DNS rebinding).
    """
    if token is not None and not is_loopback(host) and not names:
        return Access(None, token, proxy_user_header)
    return Access(LOOPBACK | {host.lower(), *(name.lower() for name in names)}, token, proxy_user_header)


class Guard:
    """Lets through what may look, answers the rest, and gives every answer its headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS:
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        answer = self._refusal(Request(scope)) or self._app
        await answer(scope, receive, guarded)

    def _refusal(self, request: Request) -> Response | None:
        """The answer to who may not look, or must come again; None for all others."""
        access = self._access
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("this page can only be read\n", 405, {"Allow": "GET, HEAD"})
        if access.hosts is not None and host_name(request.headers.get("host", "")) not in access.hosts:
            return PlainTextResponse(
                "This page is not served under this name; recorder ui --allow-host NAME allows it.\n", 421
            )
        if access.proxy_user_header is not None and not request.headers.get(access.proxy_user_header):
            return PlainTextResponse(_NO_USER.format(access.proxy_user_header), 403)
        if access.token is None or request.url.path.startswith("/static/"):
            return None
        return _token_refusal(request, access.token)


def host_name(host: str) -> str:
    """The name in a Host header, without its port and brackets."""
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]


def cookie_value(token: str) -> str:
    """What the cookie holds: it lets in as the token does, and does not tell it."""
    return hmac.new(token.encode(), b"recorder ui", hashlib.sha256).hexdigest()


def _token_refusal(request: Request, token: str) -> Response | None:
    given = request.query_params.get("token")
    if given is not None and _same(given, token):
        rest = [pair for pair in parse_qsl(request.url.query, keep_blank_values=True) if pair[0] != "token"]
        # One slash in front, so that the address stays one of this page.
        place = "/" + request.url.path.lstrip("/") + (f"?{urlencode(rest)}" if rest else "")
        answer = RedirectResponse(place, 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, cookie_value(token), httponly=True, samesite="strict", secure=secure)
        return answer
    kind, _, bearer = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and _same(bearer.strip(), token):
        return None
    if _same(request.cookies.get(COOKIE, ""), cookie_value(token)):
        return None
    return PlainTextResponse(_SIGN_IN, 401, {"WWW-Authenticate": "Bearer"})


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
