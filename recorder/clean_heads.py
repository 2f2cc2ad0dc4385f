"""Takes secrets out of headers and URLs, and tells what a request logs in with."""

from __future__ import annotations

import os
from functools import lru_cache
from hashlib import blake2b
from urllib.parse import unquote_plus

from .body import decode_request
from .byte_edits import settled
from .credential_headers import (
    COOKIES,
    ENCODING,
    LOCATION,
    SECRET,
    SET_COOKIE,
    HeaderKinds,
    clean_cookie,
    clean_credential,
)
from .exchange import Headers, Request
from .known_heads import KnownHeads
from .secret_edits import PARAMETER, SecretEdits
from .secret_rules import SecretRules

_KEY = os.urandom(16)


class CleanHeads:
    """Heads of messages without their secrets; keeps those of requests, which a client sends again with every call."""

    def __init__(self, rules: SecretRules, edits: SecretEdits) -> None:
        self.kinds = HeaderKinds(rules.headers, rules.kept)
        self._rules = rules
        self._edits = edits
        self.known = KnownHeads()

    def request(self, request: Request) -> tuple[Headers, str, bytes]:
        """A request's headers and URL without their secrets, and its body with its encoding undone.

        Ask `known` first.
        """
        headers, url, body = request.headers, request.url, request.body
        values, named = self.kinds.sort(headers)
        encodings = [headers[i][1] for i in named if self.kinds.kind_of(headers[i][0]) == ENCODING]
        for encoding in encodings:
            body = decode_request(body, encoding)
        values.append(encode(url))
        outer = self._rules.may_hold(b"\n".join(values))
        if named or outer:
            headers = self.headers(headers, named, outer)
        if outer or "?" in url or "@" in url or "#" in url or "%" in url:
            url = self._clean_url(url, outer)
        if not (outer or encodings or self._rules.patterns):
            self.known.add(request, headers, url)
        return headers, url, body

    def headers(self, headers: Headers, named: list[int], alarm: bool) -> Headers:
        """Headers without their secrets; `named` are the positions of those that their names give away.

        With an `alarm`, the shape of others may give something away too.
        """
        clean = list(headers)
        changed = False
        for index in range(len(headers)) if alarm else named:
            name, value = headers[index]
            new = self._clean_value(self.kinds.kind_of(name), value)
            if new != value:
                clean[index] = name, new
                changed = True
        return tuple(clean) if changed else headers

    def credential(self, request: Request) -> bytes | None:
        """A fingerprint of what a request logs in with, None where it has nothing; good in this process only."""
        secrets = self.kinds.credentials(request.headers)
        if "?" in request.url:
            secrets += tuple(
                parameter[2]
                for parameter in PARAMETER.finditer(encode(request.url))
                if self._rules.is_secret_query(unquote_plus(parameter[1].decode("latin-1")))
            )
        return _fingerprint(secrets) if secrets else None

    def _clean_value(self, kind: int, value: bytes) -> bytes:
        if kind == SECRET:
            return clean_credential(value)
        if kind == COOKIES:
            return b";".join(map(clean_cookie, value.split(b";")))
        if kind == SET_COOKIE:
            cookie, semicolon, attributes = value.partition(b";")
            return clean_cookie(cookie) + semicolon + attributes
        if kind == ENCODING:
            return value
        return settled(value, self._edits.url if kind == LOCATION or b"://" in value else self._edits.shapes)

    def _clean_url(self, url: str, alarm: bool) -> str:
        data = encode(url)
        clean = settled(data, self._edits.url if alarm else self._edits.url_names)
        return url if clean is data else clean.decode("utf-8", "surrogatepass")


@lru_cache(maxsize=64)
def _fingerprint(secrets: tuple[bytes, ...]) -> bytes:
    return blake2b(b"\0".join(secrets), digest_size=16, key=_KEY).digest()


def encode(text: str) -> bytes:
    """Text as the bytes that it came from, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")
