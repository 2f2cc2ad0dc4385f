"""Ids of calls and operations, and the tags that a caller attaches."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

# Seeded by the operating system, in every fork anew; a system call for each id would cost more than the rest of it.
_random = random.Random()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)

_tags: ContextVar[dict[str, Any]] = ContextVar("recorder_tags", default={})  # noqa: B039 - never mutated
_last: ContextVar[tuple[int, int, str] | None] = ContextVar("recorder_last_attempt", default=None)


def new_id(now_ms: int | None = None) -> str:
    """A UUIDv7 (RFC 9562) as text: sorts by millisecond, unique by 74 random bits."""
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    bits = _random.getrandbits(74)
    value = (
        (now & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (bits >> 62) << 64 | 0b10 << 62 | bits & (1 << 62) - 1
    )
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


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


@contextmanager
def tags(**values: Any) -> Generator[None]:
    """Attach tags to all calls made inside: `session_id` and `user_id` fill columns of their own.

    Nested ones add up, the inner one wins; None takes a tag away. Tags follow tasks, but not bare
    threads (`threading.Thread`, executors): start these with `contextvars.copy_context().run`.
    """
    token = _tags.set({name: value for name, value in {**_tags.get(), **values}.items() if value is not None})
    try:
        yield
    finally:
        _tags.reset(token)


class Tags(NamedTuple):
    """The tags of a call: the two that have columns of their own, as text, and the others."""

    session_id: str | None
    user_id: str | None
    others: dict[str, Any]


_NO_TAGS = Tags(None, None, {})


def current_tags() -> Tags:
    """The tags of the running context."""
    values = _tags.get()
    if not values:
        return _NO_TAGS
    others = dict(values)
    session_id, user_id = others.pop("session_id", None), others.pop("user_id", None)
    return Tags(
        None if session_id is None else str(session_id), None if user_id is None else str(user_id), others
    )
