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

from recorder.audit import report
from recorder.ledger import Store

from .million import BEGIN_US, DAY_US

WEEK_US = BEGIN_US + 10 * DAY_US + DAY_US // 72

QUESTIONS: dict[str, dict[str, Any]] = {
    "by model": {"by": ("model",)},
    "by model,day": {"by": ("model", "day")},
    "by day": {"by": ("day",)},
    "by host,provider": {"by": ("host", "provider")},
    "by hour, two days": {"by": ("hour",), "since_us": BEGIN_US, "until_us": BEGIN_US + 2 * DAY_US},
    "by model, since within an hour": {"by": ("model",), "since_us": WEEK_US},
    "by outcome": {"by": ("outcome",)},
    "by tag:feature": {"by": ("tag:feature",)},
    "by user, most calls": {"by": ("user",), "limit": 50},
    "by session, most calls": {"by": ("session",), "limit": 50},
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
    "by user, where outcome (no index)": {"by": ("user",), "where": {"outcome": "error"}, "limit": 50},
    "by user, where stream: half of all (no index)": {"by": ("user",), "where": {"stream": 1}, "limit": 50},
}


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
    return len(report(store, **asked).rows)


def _page(store: Store, filters: dict[str, Any]) -> int:
    return len(store.calls(limit=20, **filters))


def measure(url: str, rounds: int) -> list[Row]:
    """All questions, and a page of `recorder ls`."""
    store = Store(url)
    rows = []
    for question, asked in QUESTIONS.items():
        rows.append(measured(question, partial(_groups, store, asked), rounds))
    pages: dict[str, dict[str, Any]] = {
        "a page of ls": {},
        "a page of ls, of a user": {"where": {"user_id": "user-7"}},
        "a page of ls, of errors": {"where": {"outcome": "error"}},
    }
    for title, filters in pages.items():
        rows.append(measured(title, partial(_page, store, filters), rounds))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    asked = parser.parse_args()
    rows = measure(asked.url, asked.rounds)
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
