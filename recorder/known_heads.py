"""Remembers the heads of requests without their secrets, since a client sends the same with every call."""

from __future__ import annotations

from typing import Final

from .exchange import Headers, Request

_MOST: Final = 1_024
_LENGTH: Final = (b"Content-Length", b"content-length")


class KnownHeads:
    """Headers and URLs as they are without secrets, by a hash of what they were; for one set of rules, in one process.

    The length of the body, which mostly stands last, is left out of that.
    """

    def __init__(self) -> None:
        self._clean: dict[int, tuple[Headers | None, str | None]] = {}

    def find(self, request: Request) -> tuple[Headers, str] | None:
        """The headers and URL of a request without their secrets, the same objects where they have none."""
        sent = request.headers
        if not (key := _key(request.url, sent)) or (found := self._clean.get(key)) is None:
            return None
        headers, url = found
        return sent if headers is None else (*headers, sent[-1]), request.url if url is None else url

    def add(self, request: Request, headers: Headers, url: str) -> None:
        """These are the headers and the URL of a request without their secrets."""
        if not (key := _key(request.url, request.headers)):
            return
        if len(self._clean) > _MOST:
            self._clean.clear()
        kept = None if headers is request.headers else headers[:-1]
        self._clean[key] = kept, None if url is request.url else url


def _key(url: str, headers: Headers) -> int:
    """What a head is remembered by; 0 where it is not remembered."""
    if not headers or headers[-1][0] not in _LENGTH or not headers[-1][1].isdigit():
        return 0
    return hash((url, headers[-1][0], headers[:-1]))
