"""The names of content: hashes of bytes as they are, and of conversations up to each of their messages."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

_BYTES = 16


def hash_bytes(data: bytes) -> bytes:
    """The name of some bytes."""
    return blake2b(data, digest_size=_BYTES).digest()


def chain_hashes(messages: Sequence[bytes]) -> tuple[bytes, ...]:
    """The name of the conversation up to each message, the message included."""
    running = blake2b(digest_size=_BYTES)
    hashes = []
    for message in messages:
        # With its length, or messages that are cut elsewhere would be the same conversation.
        running.update(b"%d:" % len(message))
        running.update(message)
        hashes.append(running.copy().digest())
    return tuple(hashes)
