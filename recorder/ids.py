"""Ids of calls, and of the operations that their attempts belong to."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

# Seeded by the operating system, in every fork anew; a system call for each id would cost more than the rest of it.
_random = random.Random()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)

_VERSION = 0x7 << 76 | 0x2 << 62
_FREE = (1 << 128) - 1 ^ (0xF << 76 | 0x3 << 62)

_Last = tuple[int, Any, Callable[[Any], int], int]
_last: ContextVar[_Last | None] = ContextVar("recorder_last_attempt", default=None)


def new_id(now_ms: int) -> int:
    """A UUIDv7 (RFC 9562) as a number: sorts by millisecond, unique by 74 random bits."""
    return ((now_ms & 0xFFFF_FFFF_FFFF) << 80 | _random.getrandbits(80)) & _FREE | _VERSION


def id_text(id: int) -> str:
    """An id as it is written."""
    digits = id.to_bytes(16, "big").hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def operation_id(body: bytes, retry: T, call_id: int, count: Callable[[T], int]) -> int:
    """The id that attempts of one SDK call share.

    A call belongs to the former one of its task or thread if it sends the same body and its retry
    count has risen; else it starts an operation of its own, whose id is the call's. `count` gives the
    retry count of what `retry` is, and is asked only where the body is the same.
    """
    body_hash = hash(body)
    operation = call_id
    last = _last.get()
    if last is not None and last[0] == body_hash and retry != last[1] and count(retry) > last[2](last[1]):
        operation = last[3]
    _last.set((body_hash, retry, count, operation))
    return operation
