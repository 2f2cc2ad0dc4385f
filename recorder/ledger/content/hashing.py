"""The names of content: hashes of bytes as they are, and of conversations up to each of their messages."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

KEY_BYTES: Final = 16

# Every name is kept twice. With a key that nobody outside the store knows, as many bits are enough: texts of one name
# cannot be searched for, and a thousand million texts have two alike once in a hundred thousand million stores.
_BYTES = 12


class Hasher:
    """Names content by the key of a store."""

    def __init__(self, key: bytes) -> None:
        self._empty = blake2b(digest_size=_BYTES, key=key)

    def name(self, data: bytes) -> bytes:
        """The name of some bytes."""
        named = self._empty.copy()
        named.update(data)
        return named.digest()

    def chain(self, messages: Sequence[bytes]) -> tuple[bytes, ...]:
        """The name of the conversation up to each message, the message included."""
        running = self._empty.copy()
        names = []
        for message in messages:
            # With its length, or messages that are cut elsewhere would be the same conversation.
            running.update(b"%d:" % len(message))
            running.update(message)
            names.append(running.copy().digest())
        return tuple(names)
