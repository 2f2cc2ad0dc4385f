"""What counts of the head of a request, remembered since a client sends the same with every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from ..exchange import Headers, Request
from .credentials import Credential, Sender, sender_of

Fingerprint = Callable[[Request], Credential]
"""Takes the fingerprint of the credential that a request was sent with."""

_MOST: Final = 1_024
_LENGTH: Final = (b"Content-Length", b"content-length")


class Head(NamedTuple):
    """Who sends a request, and those of its headers that are compared."""

    sender: Sender
    compared: Headers


class Heads:
    """Tells what counts of heads; of all but the headers that are compared, those with these `names`, it keeps hashes.

    It may outlive a cassette: those that come after it are asked by the same clients.
    """

    def __init__(self, names: tuple[bytes, ...]) -> None:
        self._names = names
        self._lengths = frozenset(map(len, names))
        self._by_length = b"content-length" in names
        self._known: dict[int, Head] = {}

    def of(self, request: Request, credential: Credential | Fingerprint) -> Head:
        """The head of a request, sent with this credential, or with one whose fingerprint can be taken."""
        if credential is None or isinstance(credential, bytes):
            return Head(sender_of(request, credential), self.compared(request))
        headers, key = request.headers, 0
        if headers and headers[-1][0] in _LENGTH:
            key = hash((request.url, headers[:-1]))  # all but the length of the body
        elif len(headers) > 1 and headers[-2][0] in _LENGTH:  # where the library made JSON of the body
            key = hash((request.url, headers[:-2], headers[-1]))
        if (known := self._known.get(key)) is not None:
            return known
        head = Head(sender_of(request, credential(request)), self.compared(request))
        if key and not self._by_length:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = head
        return head

    def compared(self, request: Request) -> Headers:
        """The headers that are compared."""
        lengths, names = self._lengths, self._names
        return tuple(
            [pair for pair in request.headers if len(pair[0]) in lengths and pair[0].lower() in names]
        )
