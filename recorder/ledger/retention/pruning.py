"""Pruning: calls that are old enough are removed, or their payloads alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct, field
from sqlalchemy import Select, delete, func, select, update

from ..content.collecting import Collected
from ..database import Database
from ..tables import calls, losses, prunings
from .months import drop_months
from .plan import in_cassette
from .removing import Removed, Sleep, Turns, has_payload, remove
from .space import free_bytes, give_back
from .unreferenced import collect_unreferenced

Progress = Callable[[int, int], None]

_c = calls.c


class Pruned(Struct):
    """What a pruning removed, what cassettes kept, and what that gave: bytes off the disk, and free in the file.

    `content` is what nothing referred to then.
    """

    calls: int = 0
    payloads: int = 0
    payload_bytes: int = 0
    content: Collected = field(default_factory=Collected)
    losses: int = 0
    kept: int = 0
    given_back_bytes: int = 0
    free_bytes: int = 0

    def add(self, removed: Removed) -> None:
        """Count what one step removed."""
        self.calls += removed.calls
        self.payloads += removed.payloads
        self.payload_bytes += removed.payload_bytes


def prune(
    database: Database,
    before_us: int,
    *,
    payloads_only: bool,
    total: int,
    progress: Progress,
    sleep: Sleep = time.sleep,
) -> Pruned:
    """Remove what began before a moment, the oldest first, in short transactions; writers and readers go on.

    What was interrupted can be run again. On PostgreSQL whole months are dropped where that is possible.
    """
    done = Pruned()
    number = _write_down(database, before_us, payloads_only)
    done.add(drop_months(database, before_us, payloads_only=payloads_only))
    turns, after_us = Turns(database, sleep), None
    while found := _oldest(database, before_us, after_us, payloads_only, turns.size):
        begun = time.monotonic()
        with database.write() as connection:
            done.add(remove(connection, [id for id, _ in found], payloads_only=payloads_only))
        after_us = found[-1][1]
        progress(done.payloads if payloads_only else done.calls, total)
        turns.took(time.monotonic() - begun)
    if not payloads_only:
        with database.write() as connection:
            done.losses = connection.execute(delete(losses).where(losses.c.at_us < before_us)).rowcount
    done.content = collect_unreferenced(database)
    _finish(database, number, done, before_us)
    done.given_back_bytes = give_back(database, sleep)
    done.free_bytes = free_bytes(database)
    return done


def _oldest(
    database: Database, before_us: int, after_us: int | None, payloads_only: bool, limit: int
) -> list[tuple[str, int]]:
    """Ids and starts of the next calls that are to go."""
    query: Select[Any] = select(_c.id, _c.started_us).where(_c.started_us < before_us, ~in_cassette())
    if after_us is not None:
        query = query.where(_c.started_us >= after_us)
    if payloads_only:
        query = query.where(has_payload())
    with database.read() as connection:
        rows = connection.execute(query.order_by(_c.started_us).limit(limit))
        return [(id, started_us) for id, started_us in rows]


def _write_down(database: Database, before_us: int, payloads_only: bool) -> int:
    """Say first what is done: a payload that is gone then has its reason, whatever interrupts this."""
    row = {
        "at_us": time.time_ns() // 1000,
        "before_us": before_us,
        "payloads_only": int(payloads_only),
        "calls": 0,
        "payloads": 0,
    }
    with database.write() as connection:
        key = connection.execute(prunings.insert().values(row)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _finish(database: Database, number: int, done: Pruned, before_us: int) -> None:
    """Say what came of it; where nothing was removed, there is nothing to say."""
    mine = prunings.c.seq == number
    with database.write() as connection:
        if done.calls or done.payloads:
            counts = {"calls": done.calls, "payloads": done.payloads}
            connection.execute(update(prunings).where(mine).values(counts))
        else:
            connection.execute(delete(prunings).where(mine))
        kept = select(func.count()).select_from(calls).where(_c.started_us < before_us, in_cassette())
        done.kept = int(connection.scalar(kept) or 0)
