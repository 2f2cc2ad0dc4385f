"""Streams that are left, dropped, cancelled or read elsewhere: one span each, ended, and no context left behind."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace

from recorder.recorder import Recorder

from .drivers import Driver, Reply
from .otel import Otel, recording, streamed
from .test_transport import STREAM_HEADERS

URL = "https://api.openai.com/v1/chat/completions"
BODY = b'{"model":"gpt-5","stream":true}'


@pytest.fixture
def rec(otel: Otel, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Recorder]:
    """A recorder under whose care no span stays current, and OpenTelemetry has nothing to complain of."""
    before = otel_context.get_current()
    with caplog.at_level(logging.DEBUG, "opentelemetry"), recording(otel, tmp_path, content=True) as rec:
        yield rec
        assert rec.flush()
    assert otel_context.get_current() == before
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert "detach" not in caplog.text
    assert len(otel.spans) == 1
    assert otel.span.end_time is not None


async def opened(driver: Driver, rec: Recorder, reply: Reply | None = None) -> Any:
    client = rec.wrap(driver.client(driver.wire(reply or streamed("Hel", "lo"))))
    response = client.send(client.build_request("POST", URL, content=BODY), stream=True)
    response = await response if driver.asynchronous else response
    assert trace.get_current_span() is trace.INVALID_SPAN
    return response


async def close(driver: Driver, response: Any) -> None:
    await response.aclose() if driver.asynchronous else response.close()


def test_left_early(driver: Driver, rec: Recorder, otel: Otel) -> None:
    async def scenario() -> None:
        response = await opened(driver, rec)
        async for _ in driver.raw(response):
            assert trace.get_current_span() is trace.INVALID_SPAN
            break
        await close(driver, response)

    driver.run(scenario)
    assert otel.attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert otel.span.status.status_code is trace.StatusCode.UNSET


def test_abandoned_to_the_collector(driver: Driver, rec: Recorder) -> None:
    async def scenario() -> None:
        response = await opened(driver, rec)
        del response
        gc.collect()

    driver.run(scenario)


def test_read_inside_a_span_of_the_callers(driver: Driver, rec: Recorder, otel: Otel) -> None:
    """The caller's span stays current while the stream is read, and may end before it."""

    async def scenario() -> None:
        tracer = otel.tracers.get_tracer("theirs")
        outer = tracer.start_span("outer")
        with trace.use_span(outer):
            client = rec.wrap(driver.client(driver.wire(streamed("Hel", "lo"))))
            response = client.send(client.build_request("POST", URL, content=BODY), stream=True)
            response = await response if driver.asynchronous else response
            stream = driver.raw(response)
            await anext(stream)
            assert trace.get_current_span() is outer
        assert [_ async for _ in stream]
        await close(driver, response)
        del outer  # never ended: the fixture counts one span

    driver.run(scenario)


def test_fails_in_the_middle(driver: Driver, rec: Recorder, otel: Otel) -> None:
    error = driver.library.ReadError("reset")
    reply = Reply(headers=STREAM_HEADERS, chunks=[*streamed("Hel").chunks[:1], error])

    async def scenario() -> None:
        response = await opened(driver, rec, reply)
        with pytest.raises(driver.library.ReadError):
            async for _ in driver.raw(response):
                pass

    driver.run(scenario)
    assert otel.attributes["error.type"] == f"{driver.library.__name__}.ReadError"


def test_read_in_another_thread(rec: Recorder) -> None:
    driver = Driver("httpx2", asynchronous=False)

    def read(response: Any) -> None:
        for _ in response.iter_raw():
            pass
        response.close()

    async def scenario() -> None:
        response = await opened(driver, rec)
        thread = threading.Thread(target=read, args=(response,))
        thread.start()
        thread.join()

    driver.run(scenario)


def test_read_in_another_task_and_context(rec: Recorder) -> None:
    driver = Driver("httpx2", asynchronous=True)

    async def scenario() -> None:
        response = await opened(driver, rec)
        stream: AsyncIterator[bytes] = response.aiter_raw()
        await asyncio.create_task(anext(stream), context=copy_context())  # type: ignore[arg-type]
        await asyncio.create_task(response.aclose())

    driver.run(scenario)


def test_cancelled_while_it_is_read(rec: Recorder, otel: Otel) -> None:
    driver = Driver("httpx2", asynchronous=True)
    begun = asyncio.Event()

    async def read() -> None:
        response = await opened(driver, rec)
        async for _ in response.aiter_raw():
            begun.set()
            await asyncio.Event().wait()

    async def scenario() -> None:
        task = asyncio.create_task(read())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gc.collect()

    driver.run(scenario)
    assert "error.type" not in otel.attributes


def test_cancelled_before_the_head(rec: Recorder) -> None:
    driver = Driver("httpx2", asynchronous=True)
    begun = asyncio.Event()

    class Hanging(driver.library.AsyncBaseTransport):  # type: ignore[misc, name-defined]
        async def handle_async_request(self, request: Any) -> Any:
            begun.set()
            await asyncio.Event().wait()

    async def scenario() -> None:
        client = rec.wrap(driver.client(Hanging()))
        task = asyncio.create_task(client.post(URL, content=BODY))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    driver.run(scenario)


def test_generator_around_a_stream_closed_in_another_context(rec: Recorder) -> None:
    """What once gave "Failed to detach context": a generator that the event loop closes."""
    driver = Driver("httpx2", asynchronous=True)

    async def answers() -> AsyncIterator[bytes]:
        response = await opened(driver, rec)
        async for chunk in response.aiter_raw():
            yield chunk
        await response.aclose()

    async def scenario() -> None:
        stream = answers()
        await anext(stream)
        del stream

    driver.run(scenario)
