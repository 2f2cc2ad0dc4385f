"""Made-up calls by the million, for tests and measurements: `python -m tests.million --calls 1000000 sqlite:///big.db`.

They go into the tables as the writer puts them there, without payloads, and into the rollups in larger batches. Ten
millions are a million and copies of it (`--copies 10`), each with users and sessions of its own, at nearly the same
times.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, func, select

from recorder.call import AnswerHalf, Call, RequestHalf
from recorder.ledger.bulk import insert_new
from recorder.ledger.database import Database, open_database
from recorder.ledger.rollups import add_rows, fill
from recorder.ledger.rows import call_row
from recorder.ledger.schema import ensure
from recorder.ledger.tables import calls, rollup_state

from .ledger_calls import an_exchange

DAY_US = 86_400_000_000
BEGIN_US = 1_792_713_600_000_000
"""2026-10-23, at midnight in UTC."""

_APART_US = 259_200

MODELS = (
    ("deepseek", "api.deepseek.com", "deepseek-chat", 280_000, 420_000),
    ("deepseek", "api.deepseek.com", "deepseek-reasoner", 550_000, 2_190_000),
    ("openai", "api.openai.com", "gpt-4o-mini", 150_000, 600_000),
    ("openai", "api.openai.com", "gpt-5", 1_250_000, 10_000_000),
    ("corp", "llm.corp.test", "deepseek-r1", None, None),
    ("corp", "llm.corp.test", "qwen3-32b", None, None),
)
"""Provider, host, model, and pico-dollars for a token in and out."""

_ENDS = ("ok",) * 94 + ("error",) * 3 + ("cancelled", "incomplete", "interrupted")
_ERRORS = (("rate_limit_exceeded", 429), ("httpx2.ReadTimeout", None), ("server_error", 500))
_FEATURES = ("search", "summary", "chat", "triage", "translate")


def made_up_rows(number: int, *, days: int = 30, users: int = 500, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Rows of `calls`, ordered by their start, evenly spread."""
    chance = random.Random(seed)
    blank = call_row(
        Call("", "", 0, 0, RequestHalf("chat", "", "", 443, "chat"), AnswerHalf(), outcome="ok"),
        an_exchange(),
    )
    step = days * DAY_US / max(number, 1)
    for index in range(number):
        yield {**blank, **_call(chance, index, BEGIN_US + int(index * step), users)}


def _call(chance: random.Random, index: int, started_us: int, users: int) -> dict[str, Any]:
    # Eight conversations go on at a time, of some twenty calls each, most of them with one model.
    session = index // 160 * 8 + int(chance.random() * 8)
    draw = chance.random() if index % 16 == 0 else session * 7919 % 1009 / 1009
    provider, host, model, rate_in, rate_out = MODELS[int(draw * draw * len(MODELS))]
    outcome = _ENDS[int(chance.random() * 100)]
    duration_us = int(chance.lognormvariate(15, 0.9))
    first_us = duration_us // 4
    prompt, answer = int(chance.lognormvariate(7, 1)), int(chance.lognormvariate(5.5, 1)) + 1
    cached = prompt * int(draw * 1000) // 1250
    known = outcome in ("ok", "cancelled")
    found = {
        "id": f"{started_us // 1000:012x}"[:8] + f"-{started_us // 1000 & 0xFFFF:04x}-7000-8000-{index:012x}",
        "operation_id": f"o{index}",
        "started_us": started_us,
        "duration_us": duration_us,
        "first_chunk_us": first_us,
        "first_token_us": first_us + 1000,
        "provider": provider,
        "host": host,
        "request_model": model,
        "response_model": model if known else None,
        "stream": index & 1,
        "http_status": 200,
        "outcome": outcome,
        "attempt": 1 if index % 33 else 2,
        "session_id": f"session-{session}",
        "user_id": f"user-{session % users}",
        "tags": f'{{"feature":"{_FEATURES[session % 5]}"}}',
    }
    if outcome == "error":
        found["error_type"], found["http_status"] = _ERRORS[index % 3]
    if known:
        rates = None if rate_in is None or rate_out is None else (rate_in, rate_out)
        found |= _used(prompt, cached, answer, rates)
    return found


def _used(prompt: int, cached: int, answer: int, rates: tuple[int, int] | None) -> dict[str, Any]:
    """What a call used, and cost where its model has rates."""
    found: dict[str, Any] = {
        "finish_reasons": '["stop"]',
        "usage_source": "provider",
        "input_tokens": prompt,
        "cached_tokens": cached,
        "output_tokens": answer,
    }
    if rates is not None:
        found |= {
            "cost_pico": (prompt - cached) * rates[0] + cached * rates[0] // 10 + answer * rates[1],
            "currency": "USD",
            "cost_source": "book:made-up",
            "cache_saved_pico": cached * rates[0] - cached * rates[0] // 10,
        }
    return found


def store_made_up(
    database: Database, number: int, *, batch: int = 20_000, rollups_only: bool = False, **shape: Any
) -> None:
    """Put made-up calls into a store, which is created where it is missing."""
    ensure(database)
    rows: list[dict[str, Any]] = []
    for row in made_up_rows(number, **shape):
        rows.append(row)
        if len(rows) == batch:
            store_rows(database, rows, rollups_only)
            rows = []
    store_rows(database, rows, rollups_only)


def store_rows(database: Database, rows: list[dict[str, Any]], rollups_only: bool = False) -> None:
    """Put rows into a store, and into its rollups."""
    with database.write() as connection:
        if not rollups_only:
            insert_new(connection, calls, "id", rows)
        add_rows(connection, rows)


def copy_made_up(database: Database, copies: int) -> None:
    """Have the calls of a store so many times in it."""
    with database.read() as connection:
        newest = connection.scalar(select(func.max(calls.c.seq))) or 0
    for number in range(1, copies):
        changed: dict[str, ColumnElement[Any]] = {
            "id": func.substr(calls.c.id, 1, 24) + f"{number:02}" + func.substr(calls.c.id, 27),
            "operation_id": calls.c.operation_id + f"-{number}",
            "started_us": calls.c.started_us + number * _APART_US,
            "user_id": calls.c.user_id + f"-{number}",
            "session_id": calls.c.session_id + f"-{number}",
        }
        columns = [column for column in calls.c if column.name != "seq"]
        copied = select(*(changed.get(column.name, column) for column in columns)).where(
            calls.c.seq <= newest
        )
        with database.write() as connection:
            connection.execute(calls.insert().from_select([column.name for column in columns], copied))
            upto = select(func.max(calls.c.seq)).scalar_subquery()
            connection.execute(rollup_state.update().values(after_seq=newest, upto_seq=upto))
    fill(database, lambda done, total: print(f"\r{done:,} of {total:,} copies counted", end="", flush=True))
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--rollups-only", action="store_true", help="write no calls, only their figures")
    parser.add_argument("--copies", type=int, default=1, help="have each of them so many times, by copying")
    asked = parser.parse_args()
    started = time.monotonic()
    database = open_database(asked.url, keep=True)
    database.use_wal()
    store_made_up(
        *(database, asked.calls),
        days=asked.days,
        users=asked.users,
        rollups_only=asked.rollups_only,
    )
    if asked.copies > 1:
        copy_made_up(database, asked.copies)
    print(f"{asked.calls * asked.copies:,} calls in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
