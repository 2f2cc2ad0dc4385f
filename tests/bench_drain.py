"""Measure how fast a journal is drained into a store, beside naive tables; `make bench` runs it.

Every call has a body of its own, tags, a user, a session and a price. Rounds take turns, so that a machine's bad
moments hit all contenders; shown are the best rounds. `python tests/bench_drain.py URL` measures another store, such
as one on PostgreSQL, which should be new.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console
from rich.table import Table

import recorder
from recorder.ledger.journal import journal_directory
from recorder.ledger.journal.draining import Draining
from recorder.ledger.url import is_sqlite

ROUNDS = 6
CALLS = 4_000
BATCH = 500

_WORDS = ("river", "hills", "mouth", "delta", "bank", "ford", "spring", "flood", "mill", "ferry", "reed")


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls a second by the clock, and by the processor time that this process needs for them."""

    name: str
    calls_per_s: float
    calls_per_cpu_s: float


def text(number: int, words: int) -> str:
    """Words that no other call has in this order."""
    return f"{number}: " + " ".join(_WORDS[number * (place + 3) // 7 % len(_WORDS)] for place in range(words))


def request_body(number: int) -> bytes:
    """About 1.5 KB, of which half is new."""
    messages = [
        {"role": "system", "content": "You know rivers, and say so briefly. " * 20},
        {"role": "user", "content": text(number, 110)},
    ]
    return json.dumps({"model": "deepseek-chat", "messages": messages, "temperature": 0.7}).encode()


def answer_body(number: int) -> bytes:
    """About 1 KB, all of it new."""
    message = {"role": "assistant", "content": text(number + 1_000_000, 120)}
    usage = {
        "prompt_tokens": 200 + number % 1_000,
        "completion_tokens": 150 + number % 100,
        "total_tokens": 350 + number % 1_000 + number % 100,
        "prompt_tokens_details": {"cached_tokens": 128},
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    answer = {"id": f"c-{number}", "object": "chat.completion", "model": "deepseek-chat"}
    return json.dumps({**answer, "choices": [choice], "usage": usage}).encode()


def fill_journal(url: str, journal: Path, first: int) -> None:
    """Make calls whose records wait in the journal then."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        number = json.loads(request.headers["x-number"])
        return httpx2.Response(200, content=answer_body(number), headers={"content-type": "application/json"})

    with (
        recorder.Recorder(url, journal=journal, drain="external") as rec,
        rec.wrap(httpx2.Client(transport=httpx2.MockTransport(answer))) as client,
    ):
        for number in range(first, first + CALLS):
            with recorder.tags(
                session_id=f"s-{number // 8}", user_id=f"u-{number % 50}", feature=_WORDS[number % 5]
            ):
                client.post(
                    "https://api.deepseek.com/chat/completions",
                    content=request_body(number),
                    headers={"content-type": "application/json", "x-number": str(number)},
                )


def drain(url: str, journal: Path) -> None:
    """Store all that waits."""
    directory = journal_directory(url, str(journal))
    assert directory is not None, "the journal was just written"
    draining = Draining(url, directory)
    if not draining.run(120.0) or draining.stored != CALLS:
        raise SystemExit(f"{draining.stored} calls stored instead of {CALLS}: {draining.failure}")
    draining.close()


def naive_rows(first: int) -> list[tuple[Any, ...]]:
    return [
        (f"{number}", time.time(), request_body(number).decode(), answer_body(number).decode())
        for number in range(first, first + CALLS)
    ]


def insert_naively(path: Path, rows: list[tuple[Any, ...]], batch: int) -> None:
    """What nobody reads, prices or counts: both bodies as text, so many rows to a transaction."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS naive (id TEXT PRIMARY KEY, at REAL, asked TEXT, said TEXT)"
    )
    for start in range(0, len(rows), batch):
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO naive VALUES (?, ?, ?, ?)", rows[start : start + batch])
        connection.execute("COMMIT")
    connection.close()


def rate(name: str, work: Callable[[], None]) -> Rate:
    """How fast some work does its calls."""
    began, spent = time.perf_counter(), time.process_time()
    work()
    return Rate(name, CALLS / (time.perf_counter() - began), CALLS / (time.process_time() - spent))


def measure(url: str | None) -> list[Rate]:
    """All rounds; the first one opens the stores and does not count."""
    with tempfile.TemporaryDirectory() as folder:
        return best([rate for number in range(ROUNDS + 1) for rate in one_round(Path(folder), url, number)])


def one_round(folder: Path, url: str | None, number: int) -> list[Rate]:
    url, journal, first = url or f"sqlite:///{folder}/calls.db", folder / "journal", number * CALLS
    fill_journal(url, journal, first)
    rows = naive_rows(first)
    rates = [
        rate("recorder: journal to SQLite" if is_sqlite(url) else "recorder", lambda: drain(url, journal)),
        rate("naive SQLite table, a commit each", lambda: insert_naively(folder / "each.db", rows, 1)),
        rate(
            f"naive SQLite table, {BATCH} a commit", lambda: insert_naively(folder / "some.db", rows, BATCH)
        ),
    ]
    return rates if number else []


def best(rates: list[Rate]) -> list[Rate]:
    """The best of each contender."""
    names = dict.fromkeys(each.name for each in rates)
    return [
        Rate(
            name,
            max(each.calls_per_s for each in rates if each.name == name),
            max(each.calls_per_cpu_s for each in rates if each.name == name),
        )
        for name in names
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url", nargs="?", help="a store to measure instead of a SQLite file")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    arguments = parser.parse_args()
    rates = measure(arguments.url)
    if arguments.format == "json":
        print(json.dumps([asdict(each) for each in rates], indent=2))
        return
    shown = Table(
        title="Draining: calls of 2.5 KB with tags, users, sessions and prices", title_justify="left"
    )
    shown.add_column("store")
    for column in ("calls/s", "calls/s of processor time"):
        shown.add_column(column, justify="right")
    for each in rates:
        shown.add_row(each.name, f"{each.calls_per_s:,.0f}", f"{each.calls_per_cpu_s:,.0f}")
    Console().print(shown)


if __name__ == "__main__":
    main()
