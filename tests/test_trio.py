"""Under trio: recorded, left early, cancelled and replayed as under asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
import trio

import recorder

from .drivers import URL, Driver, Reply
from .hanging import hanging_client
from .test_transport import ASK, STREAM, STREAM_HEADERS


@pytest.fixture(params=["httpx", "httpx2"])
def driver(request: pytest.FixtureRequest) -> Driver:
    return Driver(request.param, asynchronous=True)


def test_stream_is_recorded_and_replayed_with_its_pace(
    driver: Driver, rec: recorder.Recorder, records: Any, autojump_clock: Any
) -> None:
    async def scenario(mode: Any) -> Any:
        client = rec.wrap(driver.client(driver.wire(Reply(headers=STREAM_HEADERS, chunks=STREAM))))
        with rec.cassette("c", mode=mode, pace="recorded"):
            return await driver.observe(client, ASK)

    live = trio.run(scenario, "once")
    assert trio.run(scenario, "none", clock=autojump_clock) == live
    assert [call.outcome for _, call in records] == ["ok", "ok"]


@pytest.mark.filterwarnings("ignore:.*BoundAsyncStream", "ignore::ResourceWarning")  # httpx drops a generator
@pytest.mark.parametrize("where", ["head", "body", "between chunks"])
def test_cancelled_scope_is_recorded_as_cancelled(
    driver: Driver, rec: recorder.Recorder, records: Any, where: str
) -> None:
    async def scenario() -> None:
        reply = Reply(headers=STREAM_HEADERS, chunks=STREAM)
        client = rec.wrap(hanging_client(driver, reply, where, trio.sleep_forever))
        with trio.move_on_after(0.05):
            async with (
                client.stream("POST", URL, content=ASK) as response,
                aclosing(response.aiter_raw()) as chunks,
            ):
                async for _ in chunks:
                    if where == "between chunks":
                        await trio.sleep_forever()

    trio.run(scenario)
    ((exchange, call),) = records
    assert (exchange.ending.kind, call.outcome) == ("cancelled", "cancelled")


def test_dropped_stream_warns_no_more_than_without_us(
    driver: Driver, rec: recorder.Recorder, records: Any
) -> None:
    class Stream(driver.library.AsyncByteStream):  # type: ignore[misc, name-defined]
        def __aiter__(self) -> AsyncIterator[bytes]:
            return self.steps()

        async def steps(self) -> AsyncIterator[bytes]:
            try:
                for chunk in STREAM:
                    yield chunk
            finally:
                order.append("inner")

    class Wire(driver.library.AsyncBaseTransport):  # type: ignore[misc, name-defined]
        async def handle_async_request(self, request: Any) -> Any:
            return driver.library.Response(200, headers=STREAM_HEADERS, stream=Stream())

    order: list[str] = []

    async def scenario() -> None:
        client = rec.wrap(driver.client(Wire()))
        async with client.stream("POST", URL, content=ASK) as response:
            chunks = response.aiter_raw()
            async for _ in chunks:
                break
            await chunks.aclose()
            order.append("closed")

    if driver.library.__name__ == "httpx2":
        trio.run(scenario)
        assert order == ["inner", "closed"]


@pytest.fixture
def autojump_clock() -> Any:
    import trio.testing

    return trio.testing.MockClock(autojump_threshold=0)
