"""Ids of calls, and of the operations that their attempts belong to."""

from __future__ import annotations

import os
import random
import time
from contextvars import ContextVar

# Seeded by the operating system, in every fork anew; a system call for each id would cost more than the rest of it.
_random = random.Random()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)

_last: ContextVar[tuple[int, int, str] | None] = ContextVar("recorder_last_attempt", default=None)


def new_id(now_ms: int | None = None) -> str:
    """A UUIDv7 (RFC 9562) as text: sorts by millisecond, unique by 74 random bits."""
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    bits = _random.getrandbits(74)
    low = bits & 0xFFFF_FFFF_FFFF
    return (
        f"{now >> 16 & 0xFFFF_FFFF:08x}-{now & 0xFFFF:04x}-7{bits >> 62:03x}-"
        f"{0x8000 | bits >> 48 & 0x3FFF:04x}-{low:012x}"
    )


def operation_id(body: bytes, attempt: int, call_id: str) -> str:
    """The id that attempts of one SDK call share.

    A call belongs to the former one of its task or thread if it sends the same body and its retry
    count has risen; else it starts an operation of its own, whose id is the call's.
    """
    body_hash = hash(body)
    last = _last.get()
    operation = last[2] if last is not None and last[0] == body_hash and attempt > last[1] else call_id
    _last.set((body_hash, attempt, operation))
    return operation
