"""A recorded request as it can be sent again: elsewhere if wanted, with credentials that no cassette holds."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from msgspec.structs import replace

from ..exchange import Exchange, Headers, Request
from ..secret_shapes import PLACEHOLDER

FAILED = "a failure was recorded"
SECRET = "a secret was taken out of the URL"

_CHAT = "/chat/completions"
_CONNECTION = frozenset(
    (b"host", b"content-length", b"connection", b"transfer-encoding", b"keep-alive", b"accept-encoding")
)
_RETRY = b"x-stainless-retry-count"


def why_not(exchange: Exchange) -> str | None:
    """Why a request is not worth sending, or cannot be; None where it can."""
    if PLACEHOLDER.decode() in exchange.request.url:
        return SECRET
    if exchange.head is None or not 200 <= exchange.head.status < 400:
        return FAILED
    return None


def to_send(request: Request, base_url: str | None, credentials: Headers) -> Request:
    """The request with these headers in place of its credentials, at `base_url` if there is one.

    A base URL is what SDKs call so: chat completions go to `<base_url>/chat/completions`, all else to
    its recorded path below it.
    """
    given = {name.lower() for name, _ in credentials}
    kept = [
        (name, value)
        for name, value in request.headers
        if name.lower() not in _CONNECTION
        and name.lower() != _RETRY
        and name.lower() not in given
        and PLACEHOLDER not in value
    ]
    if request.body and not any(name.lower() == b"content-type" for name, _ in kept):
        kept.append((b"Content-Type", b"application/json"))
    url = request.url if base_url is None else _moved(request.url, base_url)
    return replace(request, url=url, headers=(*kept, *credentials))


def sample(numbers: Sequence[int], size: int) -> list[int]:
    """So many of them, spread evenly, the same ones every time."""
    if size >= len(numbers):
        return list(numbers)
    return [numbers[place * len(numbers) // size] for place in range(size)]


def _moved(url: str, base_url: str) -> str:
    old, base = urlsplit(url), urlsplit(base_url.rstrip("/"))
    if old.path.rstrip("/").endswith(_CHAT):
        path = base.path.removesuffix(_CHAT) + _CHAT
    elif base.path and (old.path + "/").startswith(base.path + "/"):
        path = old.path
    else:
        path = base.path + old.path
    return urlunsplit((base.scheme, base.netloc, path, base.query or old.query, ""))
