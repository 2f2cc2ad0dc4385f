"""Asking streams for usage on behalf of callers who did not, without their seeing it."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import recorder
from recorder.dialects import UsageFilter
from recorder.ledger import Store

from .drivers import URL, Driver, Reply, Seen
from .test_transport import STREAM, STREAM_HEADERS, delta

OPENAI = "https://api.openai.com/v1/chat/completions"
USAGE = b'data: {"id":"c-1","choices": [],"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n'
ANSWER = (*STREAM[:-1], USAGE, STREAM[-1])


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[recorder.Recorder]:
    with recorder.Recorder(f"sqlite:///{tmp_path}/calls.db", include_usage=True, strict=True) as rec:
        yield rec


def ask(
    driver: Driver, rec: recorder.Recorder, body: dict[str, Any], url: str, mode: Any
) -> tuple[Seen, list[Any]]:
    wire = driver.wire(*([Reply(headers=STREAM_HEADERS, chunks=ANSWER)] if mode == "once" else []))

    async def scenario() -> Seen:
        with rec.cassette("c", mode=mode):
            return await driver.observe(rec.wrap(driver.client(wire)), json.dumps(body).encode(), url=url)

    return driver.run(scenario), [json.loads(request.content) for request in wire.requests]


def test_usage_is_asked_for_recorded_and_kept_from_the_caller(
    driver: Driver, asking: recorder.Recorder
) -> None:
    body = {"model": "m", "stream": True, "messages": []}
    seen, sent = ask(driver, asking, body, OPENAI, "once")
    assert sent == [{**body, "stream_options": {"include_usage": True}}]
    assert b"".join(seen.chunks) == b"".join(STREAM)
    assert ask(driver, asking, body, OPENAI, "none")[0] == seen
    assert asking.flush()
    rows = Store(asking.store).calls()
    assert [row["input_tokens"] for row in rows] == [5, 5]
    assert json.loads(Store(asking.store).exchange(rows[0]["id"]).request.body) == body


@pytest.mark.parametrize(
    ("body", "url"),
    [
        ({"stream": True, "stream_options": {"include_usage": False}}, OPENAI),
        ({"stream": True, "stream_options": {"include_usage": True}}, OPENAI),
        ({"stream": False}, OPENAI),
        ({"stream": True}, URL),
    ],
)
def test_callers_own_word_and_providers_that_always_tell_are_left_alone(
    driver: Driver, asking: recorder.Recorder, body: dict[str, Any], url: str
) -> None:
    seen, sent = ask(driver, asking, body, url, "once")
    assert sent == [body]
    assert seen.chunks == ANSWER


@given(cuts=st.sets(st.integers(1, sum(map(len, ANSWER)) - 1)), crlf=st.booleans())
def test_filter_takes_out_the_same_event_however_the_bytes_are_cut(cuts: set[int], crlf: bool) -> None:
    def wire(events: tuple[bytes, ...]) -> bytes:
        joined = b"".join(events)
        return joined.replace(b"\n", b"\r\n") if crlf else joined

    data = wire(ANSWER)
    points = [0, *sorted(cuts), len(data)]
    chunk_filter = UsageFilter()
    kept = b"".join(chunk_filter.feed(data[start:end]) for start, end in pairwise(points))
    assert kept + chunk_filter.flush() == wire(STREAM)


def test_filter_keeps_what_only_looks_like_it() -> None:
    first = b'data: {"choices":[],"prompt_filter_results":[]}\n\n'
    assert UsageFilter().feed(first + delta("x")) == first + delta("x")


def test_upstream_that_compresses_all_the_same_is_passed_on_at_once(
    driver: Driver, asking: recorder.Recorder
) -> None:
    chunks = [gzip.compress(b"".join(ANSWER))[start : start + 9] for start in range(0, 200, 9)]
    headers = (*STREAM_HEADERS, ("content-encoding", "gzip"))
    client = asking.wrap(driver.client(driver.wire(Reply(headers=headers, chunks=chunks))))
    body = json.dumps({"model": "m", "stream": True}).encode()
    seen = driver.run(lambda: driver.observe(client, body, url=OPENAI))
    assert seen.chunks == tuple(chunk for chunk in chunks if chunk)


def test_filter_takes_time_in_proportion_where_no_event_ends() -> None:
    chunk_filter = UsageFilter()
    began = time.perf_counter()
    for _ in range(4000):
        assert chunk_filter.feed(b"x" * 1000) == b""
    assert len(chunk_filter.flush()) == 4_000_000
    assert time.perf_counter() - began < 2
