"""What an attempt came to is the same whether it is read at once or later, by the thread that stores it."""

from __future__ import annotations

import gzip
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
PER_CALL = ("id", "operation_id", "started_at", "started_us", "trace_id", "span_id")
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


UNKNOWN_FIELD = b"".join(
    b'data: {"choices":[{"index":0,"delta":{"content":"a","annotations":[{"note":"' + part + b'"}]}}]}\n\n'
    for part in (SECRET[:8].encode(), SECRET[8:].encode())
)


@pytest.mark.parametrize(
    ("headers", "reply"),
    [
        ({"id": SECRET}, Reply(chunks=[ANSWER])),
        ({}, Reply(chunks=[UNKNOWN_FIELD, b"data: [DONE]\n\n"], headers=STREAM_HEADERS)),
        ({}, Reply(chunks=[ANSWER], extensions={"reason_phrase": f"OK {SECRET}".encode()})),
        ({}, Reply(chunks=[ANSWER], headers=[("link", "<https://x.test/a?token=hunter2-abc>; rel=next")])),
        ({}, Reply(chunks=[b'{"choices":[],"api_key":["hunter2-abc"]}'])),
        ({}, Reply(error=ValueError("GET https://x.test/a?api_key=hunter2-abc failed"))),
    ],
    ids=[
        "header that is read",
        "deltas of a field unknown",
        "reason",
        "link",
        "list of secrets",
        "exception",
    ],
)
def test_secrets_are_kept_in_no_odd_place(
    driver: Driver, stores: list[recorder.Recorder], headers: dict[str, str], reply: Reply
) -> None:
    for rec in stores:
        client = rec.wrap(driver.client(driver.wire(reply)))
        with recorder.tags(api_key="hunter2-abc", nested={"password": "hunter2-abc"}):
            driver.run(partial(driver.observe, client, ASK, headers=headers))
        assert rec.flush()
        kept = Path(rec.store.removeprefix("sqlite:///")).read_bytes()
        shown = repr([*Store(rec.store).calls()]) + repr(stored(rec.store))
        for secret in (SECRET, SECRET[8:], "hunter2-abc"):
            assert secret.encode() not in kept
            assert secret not in shown


def test_a_decoded_answer_counts_in_what_waits(rec: recorder.Recorder) -> None:
    driver = Driver("httpx2", asynchronous=False)
    sizes: list[tuple[int, int]] = []
    rec._recording._observers = (lambda ended: sizes.append((ended.size, len(ended.wire.body))),)
    body = gzip.compress(json.dumps({"choices": [], "text": "a" * 1_000_000}).encode())
    headers = [("content-type", "application/json"), ("content-encoding", "gzip")]
    client = rec.wrap(driver.client(driver.wire(Reply(chunks=[body], headers=headers))))
    driver.run(lambda: driver.observe(client, ASK))
    ((size, on_the_wire),) = sizes
    assert on_the_wire < 10_000 < 1_000_000 < size
