"""What an attempt came to is the same whether it is read at once or later, by the thread that stores it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

import recorder
from recorder.ledger import Store

from .drivers import Driver, Reply
from .test_transport import ANSWER, ASK, STREAM, STREAM_HEADERS

SECRET = "sk-proj-Ab3dEf6hIj9kLm2nOp5q"
PER_CALL = ("id", "operation_id", "started_at", "trace_id", "span_id")
TIMES = ("duration_s", "first_chunk_s", "first_token_s", "first_reasoning_s")
SPLIT = b"".join(
    b'data: {"choices":[{"index":0,"delta":{"content":"' + part + b'"}}]}\n\n'
    for part in (b"the key sk-proj-Ab3d", b"Ef6hIj9kLm2nOp5q it is")
)
ASKED_SECRET = json.dumps({"model": f"m {SECRET}", "messages": [{"content": f"key {SECRET}"}]}).encode()
CASES = {
    "plain": (ASK, Reply(chunks=[ANSWER])),
    "stream": (ASK, Reply(chunks=list(STREAM), headers=STREAM_HEADERS)),
    "error": (
        ASK,
        Reply(429, chunks=[b'{"error":{"code":"slow","message":"no: ' + SECRET.encode() + b'"}}']),
    ),
    "secret asked": (ASKED_SECRET, Reply(chunks=[ANSWER])),
    "secret answered": (ASK, Reply(chunks=[ANSWER.replace(b"Hi", SECRET.encode())])),
    "secret in deltas": (ASK, Reply(chunks=[SPLIT, b"data: [DONE]\n\n"], headers=STREAM_HEADERS)),
}


@pytest.fixture
def stores(tmp_path: Path, provider: TracerProvider) -> Iterator[list[recorder.Recorder]]:
    """One recorder that reads at once, as `strict` does, and one that reads later; both with and without spans."""
    kept = [
        recorder.Recorder(f"sqlite:///{tmp_path}/{strict}-{index}.db", strict=strict, tracer_provider=tracing)
        for strict in (True, False)
        for index, tracing in enumerate((provider, None))
    ]
    yield kept
    for rec in kept:
        rec.close()


@pytest.mark.parametrize("case", CASES)
def test_rows_and_payloads_are_the_same_read_at_once_or_later(
    driver: Driver, stores: list[recorder.Recorder], case: str
) -> None:
    body, reply = CASES[case]
    kept = []
    for rec in stores:
        client = rec.wrap(driver.client(driver.wire(reply)))
        headers = {"authorization": f"Bearer {SECRET}"}
        driver.run(partial(driver.observe, client, body, headers=headers))
        assert rec.flush()
        kept.append(stored(rec.store))
        assert SECRET.encode() not in Path(rec.store.removeprefix("sqlite:///")).read_bytes()
    assert all(each == kept[0] for each in kept[1:])


def stored(url: str) -> list[Any]:
    store = Store(url)
    (row,) = store.calls()
    times = [row[name] is None for name in TIMES]
    rest = {name: value for name, value in row.items() if name not in (*PER_CALL, *TIMES)}
    exchange = store.exchange(row["id"])
    return [
        rest,
        times,
        exchange.request,
        exchange.chunks,
        exchange.redacted,
        exchange.head and exchange.head.status,
    ]
