"""Remembers which messages hold no secret, since a conversation sends its history again with each turn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Raw

_MOST: Final = 65_536
_split = msgspec.json.Decoder(list[Raw]).decode
_NEEDLE_BYTES: Final = 64
_SHORT: Final = 4_096
"""Bodies that are looked through whole, which takes no longer than telling their messages apart."""


class KnownMessages:
    """Hashes of messages that were looked through; for one set of rules, in one process."""

    def __init__(self) -> None:
        self._clean: set[int] = set()

    def without(self, body: bytes, messages: Raw | None) -> tuple[bytes, list[int]]:
        """A request's body without the messages that are known, and the hashes of the others.

        What is left is JSON as the body was. The body itself where there is nothing to leave out.
        """
        if messages is None or len(body) < _SHORT:
            return body, []
        try:
            listed = [bytes(message) for message in _split(messages)]
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return body, []
        hashes = list(map(hash, listed))
        known = self._clean
        new = [message for message, seen in zip(listed, hashes, strict=True) if seen not in known]
        if len(new) == len(listed):
            return body, hashes
        return _with_messages(body, bytes(messages), new), [seen for seen in hashes if seen not in known]

    def is_known(self, text: bytes) -> bool:
        """Whether a whole text was looked through before, as one that is sent again."""
        return hash(text) in self._clean

    def add(self, hashes: Iterable[int]) -> None:
        """These hold no secret."""
        if len(self._clean) > _MOST:
            self._clean.clear()
        self._clean.update(hashes)


def _with_messages(body: bytes, messages: bytes, new: list[bytes]) -> bytes:
    """The body with other messages; as it is where they are not found in it."""
    needle, start = messages[:_NEEDLE_BYTES], -1
    while (start := body.find(needle, start + 1)) >= 0:
        if body.startswith(messages, start):
            end = start + len(messages)
            return b"".join((body[:start], b"[", b",".join(new), b"]", body[end:]))
    return body
