"""How long reports on a million calls take, and what they read of ten times as many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import pytest

from recorder.audit import report
from recorder.ledger import Store, choosing, reading_cells
from recorder.ledger.conditions import parse_conditions
from recorder.ledger.database import open_database
from recorder.ledger.question import fetched, fetched_text

from .bench_reports import BOUND_MS, SINGLE, WEEK_US, measured
from .million import DAY_US, store_made_up

SHOWN = 20


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One number for each row of a rollup that is read."""
    read: list[int] = []

    def counting(fetch: Callable[..., Iterator[Any]], *query: Any) -> Iterator[Any]:
        for row in fetch(*query):
            read.append(1)
            yield row

    monkeypatch.setattr(choosing, "fetched", partial(counting, fetched))
    monkeypatch.setattr(reading_cells, "fetched", partial(counting, fetched))
    monkeypatch.setattr(reading_cells, "fetched_text", partial(counting, fetched_text))
    return read


def made_up(url: str, number: int) -> Store:
    store_made_up(open_database(url), number, days=12, users=number // 20, rollups_only=True)
    return Store(url)


@pytest.mark.parametrize("by", ["model", "day", "hour", "user", "session", "tag:feature"])
def test_a_report_reads_as_few_cells_however_many_calls_there_are(
    sqlite_url: str, rows_read: list[int], by: str
) -> None:
    report(made_up(sqlite_url, 4_000), (by,), limit=SHOWN)
    assert len(rows_read) < 3 * SHOWN + 10


@pytest.mark.soak
def test_reports_on_a_million_calls_take_a_blink(sqlite_url: str) -> None:
    database = open_database(sqlite_url, keep=True)
    database.use_wal()
    store_made_up(database, 1_000_000)
    store = Store(sqlite_url)

    def least_ms(ask: Callable[[], object], rounds: int = 20) -> float:
        return measured("", lambda: bool(ask()), rounds).processor_ms

    for by in SINGLE:
        assert least_ms(partial(report, store, (by,), limit=100)) < BOUND_MS, by
        if by != "user":
            week = partial(report, store, (by,), WEEK_US, WEEK_US + 7 * DAY_US, limit=100)
            assert least_ms(week) < BOUND_MS, by
    indexed = {"user": "user-7", "outcome": "error"}
    assert least_ms(partial(report, store, ("model",), where=indexed)) < 600
    for where, by in product(("input_tokens>1000", "stream=1", "duration_s>1"), ("model", "user", "session")):
        conditions = parse_conditions([where])
        assert least_ms(partial(report, store, (by,), where=conditions, limit=100), 2) < 2_000, (where, by)
    assert least_ms(partial(store.calls, limit=20, where={"outcome": "error"})) < 50
