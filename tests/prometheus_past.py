"""A Prometheus that remembers a made-up week: what a program and its store told it, every two hours.

The calls go through the metrics' own instruments and into a store of their own, in the order of time.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider

from recorder.call import AnswerHalf, Usage
from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.ledger import Budgets, Store
from recorder.ledger.budgets import Budget
from recorder.ledger.database import open_database
from recorder.ledger.schema import ensure
from recorder.ledger.sink import Sink
from recorder.panels.store_metrics import store_metrics
from recorder.telemetry.attributes import Attributes
from recorder.telemetry.metrics import Metrics
from recorder.telemetry.names import NAMES

from .million import BEGIN_US, made_up_rows, store_rows
from .prometheus import PROMTOOL, Prometheus, running

SCRAPE_S = 7200
BEGIN_S = BEGIN_US // 10**6
_EVENT = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
_EVENTS = 5


@contextmanager
def remembering(scratch: Path, days: int, calls: int, users: int) -> Iterator[Prometheus]:
    """The server, and in it the days from BEGIN_S on."""
    text = scratch / "past.txt"
    with text.open("w") as file:
        for line in _told(scratch, days, calls, users):
            file.write(f"{line}\n")
        file.write("# EOF\n")
    command = [str(PROMTOOL), "tsdb", "create-blocks-from", "openmetrics", str(text), str(scratch / "data")]
    subprocess.run(command, check=True, capture_output=True)
    with running({}, scratch) as prometheus:
        prometheus.wait_for("vector(1)")
        yield prometheus


def _told(scratch: Path, days: int, calls: int, users: int) -> Iterator[str]:
    from opentelemetry.exporter.prometheus import PrometheusMetricReader
    from prometheus_client import generate_latest

    meters = MeterProvider([PrometheusMetricReader()], shutdown_on_exit=False)
    metrics = Metrics(NAMES["1.41"], "0", meters)
    url = f"sqlite:///{scratch}/past.db"
    database = open_database(url)
    ensure(database)
    for name, limit, tags in (("everything", 10, {}), ("search", 1.5, {"feature": "search"})):
        Budgets(url).set(Budget(name, int(limit * 10**12), "USD", "month", {}, tags))
    rows = made_up_rows(calls, days=days, users=users)
    due: list[dict[str, Any]] = [next(rows)]
    for scrape in range(1, days * 86400 // SCRAPE_S + 1):
        at_s = BEGIN_S + scrape * SCRAPE_S
        while due[-1]["started_us"] < at_s * 10**6 and (row := next(rows, None)) is not None:
            due.append(row)
        ended, due = due[:-1], due[-1:]
        store_rows(database, ended)
        for row in ended:
            _count(metrics, row)
        if scrape == days * 86400 // SCRAPE_S * 2 // 3:
            Sink(url).store([], 3, "no space")
        told = store_metrics(Store(url), Budgets(url).all(), at_s * 10**6)
        for line in (generate_latest().decode() + told).splitlines():
            if line.startswith(("gen_ai", "recorder")):
                yield f"{line} {at_s}"
    database.close()
    meters.shutdown()


def _count(metrics: Metrics, row: dict[str, Any]) -> None:
    attributes: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": row["provider"],
        "gen_ai.request.model": row["request_model"],
    }
    if row["outcome"] == "error":
        attributes["error.type"] = row["error_type"]
    exchange = _exchange(row)
    usage = Usage(row["input_tokens"], row["cached_tokens"], None, row["output_tokens"])
    streamed = {"first_chunk_ns": row["first_chunk_us"] * 1000} if row["stream"] else {}
    metrics.record(exchange, AnswerHalf(usage=usage, **streamed), attributes, None)
    if row["stream"]:
        metrics.record_chunks(exchange, attributes, None)


def _exchange(row: dict[str, Any]) -> Exchange:
    """With a handful of events, evenly spread over the time of the answer's last tokens."""
    first_us, last_us = row["first_chunk_us"], row["duration_us"]
    tokens = max(row["output_tokens"] or 0, _EVENTS)
    arrivals = tuple(
        (first_us + (last_us - first_us) * event // tokens) * 1000 for event in range(1, _EVENTS + 1)
    )
    return Exchange(
        Request("POST", f"https://{row['host']}/chat/completions", (), b""),
        row["started_us"],
        Ending("complete", last_us * 1000),
        ResponseHead(200, ((b"content-type", b"text/event-stream"),), reason=b"OK", at_ns=0),
        (_EVENT,) * _EVENTS,
        arrivals,
    )
