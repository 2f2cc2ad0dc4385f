"""How long reports take: `python -m tests.bench_reports sqlite:///big.db`, a store that `tests.million` filled.

Each question is asked several times; the least time counts, by the clock and by the processor's.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from recorder.audit import compare, report
from recorder.ledger import Store
from recorder.ledger.conditions import parse_conditions
from recorder.ledger.database import open_database
from recorder.ledger.schema import ensure
from recorder.ledger.tables import calls

from .million import BEGIN_US, DAY_US, copy_made_up, store_made_up

_MILLION = 1_000_000

WEEK_US = BEGIN_US + 10 * DAY_US + DAY_US // 72

SINGLE = (
    "model",
    "provider",
    "host",
    "day",
    "hour",
    "user",
    "session",
    "outcome",
    "error",
    "status",
    "operation",
    "tag",
    "tag:feature",
)
"""What rollups know, each by itself."""

BOUND_MS = 20
"""How long a report by one of them may take, however many calls there are."""

QUESTIONS: dict[str, dict[str, Any]] = {
    **{f"by {name}": {"by": (name,)} for name in SINGLE},
    "by model,day": {"by": ("model", "day")},
    "by user,day": {"by": ("user", "day")},
    "by user,model": {"by": ("user", "model")},
    "by hour, two days": {"by": ("hour",), "since_us": BEGIN_US, "until_us": BEGIN_US + 2 * DAY_US},
    "by model, since within an hour": {"by": ("model",), "since_us": WEEK_US},
    "by user, since within an hour": {"by": ("user",), "since_us": WEEK_US},
    "by session, since within an hour": {"by": ("session",), "since_us": WEEK_US},
    "by outcome, since within an hour": {"by": ("outcome",), "since_us": WEEK_US},
    "by tag, since within an hour": {"by": ("tag",), "since_us": WEEK_US},
    "by user,model, since within an hour": {"by": ("user", "model"), "since_us": WEEK_US},
    "by session, since a day": {"by": ("session",), "since_us": BEGIN_US + 23 * DAY_US},
    "by day, where model": {"by": ("day",), "where": {"model": "gpt-5"}},
    "by model, where outcome": {"by": ("model",), "where": {"outcome": "error"}},
    "by model, where user": {"by": ("model",), "where": {"user": "user-7"}},
    "by model, where user and outcome (index)": {
        "by": ("model",),
        "where": {"user": "user-7", "outcome": "error"},
    },
    "by model, where session and outcome (index)": {
        "by": ("model",),
        "where": {"session": "session-777", "outcome": "ok"},
    },
    "by user, where outcome (no index)": {"by": ("user",), "where": {"outcome": "error"}},
    "by model, where duration: most of all (no index)": {
        "by": ("model",),
        "where": parse_conditions(["duration_s>1"]),
    },
    "by user, where stream: half of all (no index)": {"by": ("user",), "where": {"stream": 1}},
    "by session, where stream: half of all (no index)": {"by": ("session",), "where": {"stream": 1}},
    **{
        f"by {name}, where input: half of all (no index)": {
            "by": (name,),
            "where": parse_conditions(["input_tokens>1000"]),
        }
        for name in ("model", "user", "session")
    },
}
SHOWN = 100
"""How many groups are asked for, as `recorder report` does."""


class Row(NamedTuple):
    """The least time of a question, in milliseconds."""

    question: str
    clock_ms: float
    processor_ms: float
    groups: int


def measured(question: str, ask: Callable[[], int], rounds: int) -> Row:
    """Ask several times, and take the least of each time."""
    ask()
    times = []
    for _ in range(rounds):
        begun, spent = time.perf_counter(), time.process_time()
        groups = ask()
        times.append((time.perf_counter() - begun, time.process_time() - spent))
    clock, processor = (1000 * min(column) for column in zip(*times, strict=True))
    return Row(question, clock, processor, groups)


def _groups(store: Store, asked: dict[str, Any]) -> int:
    return len(report(store, **asked, limit=SHOWN).rows)


def _changes(store: Store, by: tuple[str, ...]) -> int:
    return len(compare(store, by, WEEK_US, WEEK_US + 7 * DAY_US, limit=SHOWN).rows)


def _page(store: Store, filters: dict[str, Any]) -> int:
    return len(store.calls(limit=20, **filters))


def measure(url: str, rounds: int, *, rolled_up_only: bool = False) -> list[Row]:
    """All questions, and a page of `recorder ls`."""
    store = Store(url)
    rows = []
    for question, asked in QUESTIONS.items():
        if rolled_up_only and "(no index)" in question:
            continue
        rows.append(measured(question, partial(_groups, store, asked), rounds))
    for name in ("model", "user", "session"):
        title = f"by {name}, a week and the week before"
        rows.append(measured(title, partial(_changes, store, (name,)), rounds))
    pages: dict[str, dict[str, Any]] = {
        "a page of ls": {},
        "a page of ls, of a user": {"where": {"user_id": "user-7"}},
        "a page of ls, of errors": {"where": {"outcome": "error"}},
    }
    for title, filters in pages.items():
        rows.append(measured(title, partial(_page, store, filters), rounds))
    return rows


def make_ten_million(url: str) -> None:
    """Make a store of a million calls, and copy these; the million may be there."""
    database = open_database(url, keep=True)
    database.use_wal()
    ensure(database)
    with database.read() as connection:
        number = connection.scalar(select(func.count()).select_from(calls)) or 0
    if number < _MILLION:
        store_made_up(database, _MILLION)
    if number <= _MILLION:
        copy_made_up(database, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        *("--ten-million",),
        action="store_true",
        help="first make the store, if it has fewer calls, which takes a quarter of an hour and 6 GB; without the "
        "questions that no index serves",
    )
    parser.add_argument("--format", choices=("table", "json"), default="table")
    asked = parser.parse_args()
    if asked.ten_million:
        make_ten_million(asked.url)
    rows = measure(asked.url, asked.rounds, rolled_up_only=asked.ten_million)
    if asked.format == "json":
        print(json.dumps([row._asdict() for row in rows], indent=2))
        return
    table = Table()
    for name in ("question", "ms", "of the processor", "rows"):
        table.add_column(name, justify="left" if name == "question" else "right")
    for row in rows:
        table.add_row(row.question, f"{row.clock_ms:.1f}", f"{row.processor_ms:.1f}", str(row.groups))
    Console().print(table)


if __name__ == "__main__":
    main()
