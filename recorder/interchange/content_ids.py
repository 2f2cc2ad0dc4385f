"""Ids of exchanges that came without one: the same whenever the same exchange comes."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b

import msgspec

from ..exchange import Exchange


class ContentIds:
    """Gives ids; of equal exchanges in one file each gets its own."""

    def __init__(self) -> None:
        self._times: Counter[bytes] = Counter()

    def number(self, exchange: Exchange) -> int:
        """A UUIDv7 of an exchange's time and content."""
        content = blake2b(msgspec.msgpack.encode(exchange)).digest()
        self._times[content] += 1
        times = self._times[content].to_bytes(8, "big")
        bits = int.from_bytes(blake2b(content + times, digest_size=16).digest(), "big")
        milliseconds = max(exchange.started_us, 0) // 1000
        return (
            (milliseconds & 0xFFFF_FFFF_FFFF) << 80
            | 0x7 << 76
            | bits >> 116 << 64
            | 0x2 << 62
            | bits & 0x3FFF_FFFF_FFFF_FFFF
        )
