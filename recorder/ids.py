"""Ids of calls, and of the operations that their attempts belong to."""

from __future__ import annotations

import os
import random
from contextvars import ContextVar

# Seeded by the operating system, in every fork anew; a system call for each id would cost more than the rest of it.
_random = random.Random()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)

_last: ContextVar[tuple[int, int, int] | None] = ContextVar("recorder_last_attempt", default=None)


def new_id(now_ms: int) -> int:
    """A UUIDv7 (RFC 9562) as a number: sorts by millisecond, unique by 74 random bits."""
    bits = _random.getrandbits(74)
    return (
        (now_ms & 0xFFFF_FFFF_FFFF) << 80
        | 0x7 << 76
        | bits >> 62 << 64
        | 0x2 << 62
        | bits & 0x3FFF_FFFF_FFFF_FFFF
    )


def id_text(id: int) -> str:
    """An id as it is written."""
    digits = f"{id:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def operation_id(body: bytes, attempt: int, call_id: int) -> int:
    """The id that attempts of one SDK call share.

    A call belongs to the former one of its task or thread if it sends the same body and its retry
    count has risen; else it starts an operation of its own, whose id is the call's.
    """
    body_hash = hash(body)
    last = _last.get()
    operation = last[2] if last is not None and last[0] == body_hash and attempt > last[1] else call_id
    _last.set((body_hash, attempt, operation))
    return operation
