"""The transport matrix: {httpx, httpx2} x {sync, async}, whatever a stream can do."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import recorder
from recorder.call import Call
from recorder.exchange import Exchange

from .drivers import URL, Driver, Reply, Seen
from .hanging import hanging_client

Records = list[tuple[Exchange, Call]]

ASK = json.dumps({"model": "deepseek-chat", "messages": [{"role": "user", "content": "Hi"}]}).encode()
ANSWER = json.dumps(
    {
        "id": "c-1",
        "model": "deepseek-chat",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }
).encode()
STREAM_HEADERS = (("content-type", "text/event-stream"),)


def delta(content: str | None = None, finish: str | None = None) -> bytes:
    chunk = {
        "id": "c-1",
        "model": "deepseek-chat",
        "choices": [{"index": 0, "delta": {"content": content}, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


STREAM = (delta("Hel"), delta("lo"), delta(finish="stop"), b"data: [DONE]\n\n")


def only(records: Records) -> tuple[Exchange, Call]:
    (record,) = records
    return record


def test_whole_answer_is_recorded_and_the_caller_sees_no_difference(
    driver: Driver, rec: recorder.Recorder, records: Records
) -> None:
    async def scenario() -> list[Seen]:
        bare = driver.client(driver.wire(Reply(chunks=[ANSWER])))
        wrapped = rec.wrap(driver.client(driver.wire(Reply(chunks=[ANSWER]))))
        return [await driver.observe(client, ASK) for client in (bare, wrapped)]

    without, with_us = driver.run(scenario)
    assert with_us == without
    exchange, call = only(records)
    assert (exchange.request.body, exchange.body, exchange.ending.kind) == (ASK, ANSWER, "complete")
    assert (call.outcome, call.answer.choices[0].content, call.answer.usage and call.answer.usage.input) == (
        "ok",
        "Hello",
        5,
    )


def test_stream_passes_chunk_by_chunk(driver: Driver, rec: recorder.Recorder, records: Records) -> None:
    async def scenario() -> Seen:
        return await driver.observe(
            rec.wrap(driver.client(driver.wire(Reply(headers=STREAM_HEADERS, chunks=STREAM)))), ASK
        )

    assert driver.run(scenario).chunks == STREAM
    exchange, call = only(records)
    assert exchange.chunks == STREAM
    assert list(exchange.arrivals_ns) == sorted(exchange.arrivals_ns)
    assert (call.outcome, call.answer.choices[0].content, call.answer.finish_reasons) == (
        "ok",
        "Hello",
        ("stop",),
    )


def test_response_object_stays_the_same_but_for_its_stream(driver: Driver, rec: recorder.Recorder) -> None:
    async def scenario() -> Any:
        extensions = {"network_stream": "NS", "http_version": b"HTTP/2"}
        client = rec.wrap(driver.client(driver.wire(Reply(chunks=[ANSWER], extensions=extensions))))
        return await driver.send(client, "POST", URL, content=ASK)

    response = driver.run(scenario)
    assert response.extensions["network_stream"] == "NS"
    assert response.http_version == "HTTP/2"


def test_stream_left_early_is_stored_as_closed_early(
    driver: Driver, rec: recorder.Recorder, records: Records
) -> None:
    async def scenario() -> tuple[Seen, int]:
        wire = driver.wire(Reply(headers=STREAM_HEADERS, chunks=STREAM))
        return await driver.observe(rec.wrap(driver.client(wire)), ASK, leave_after=2), wire.closed

    seen, closed = driver.run(scenario)
    assert (seen.chunks, closed) == (STREAM[:2], 1)
    exchange, call = only(records)
    assert (exchange.ending.kind, exchange.chunks, call.outcome) == ("closed_early", STREAM[:2], "incomplete")


def test_closed_at_the_terminal_marker_is_ok(
    driver: Driver, rec: recorder.Recorder, records: Records
) -> None:
    async def scenario() -> None:
        wire = driver.wire(Reply(headers=STREAM_HEADERS, chunks=STREAM))
        await driver.observe(rec.wrap(driver.client(wire)), ASK, leave_after=len(STREAM))

    driver.run(scenario)
    exchange, call = only(records)
    assert (exchange.ending.kind, call.outcome) == ("closed_early", "ok")


def test_stream_never_read_is_recorded(driver: Driver, rec: recorder.Recorder, records: Records) -> None:
    async def scenario() -> None:
        wire = driver.wire(Reply(headers=STREAM_HEADERS, chunks=STREAM))
        await driver.observe(rec.wrap(driver.client(wire)), ASK, leave_after=0)

    driver.run(scenario)
    exchange, call = only(records)
    assert (exchange.chunks, exchange.ending.kind, call.outcome) == ((), "closed_early", "incomplete")


def test_stream_dropped_without_close_is_recorded(
    driver: Driver, rec: recorder.Recorder, records: Records
) -> None:
    """httpx2's iterators close the stream when they are dropped, httpx's do not."""

    async def scenario() -> None:
        client = rec.wrap(driver.client(driver.wire(Reply(headers=STREAM_HEADERS, chunks=STREAM))))
        request = client.build_request("POST", URL, content=ASK)
        sent = client.send(request, stream=True)
        response = await sent if driver.asynchronous else sent
        chunks = driver.raw(response)
        async for _ in chunks:
            break
        await chunks.aclose()  # type: ignore[attr-defined]

    driver.run(scenario)
    gc.collect()
    assert rec.flush()
    exchange, call = only(records)
    kind = "abandoned" if driver.library.__name__ == "httpx" else "closed_early"
    assert (exchange.ending.kind, exchange.chunks, call.outcome) == (kind, STREAM[:1], "incomplete")


def test_stream_read_whole_and_closed_by_the_collector_has_ended_with_its_last_chunk(
    driver: Driver, rec: recorder.Recorder, records: Records
) -> None:
    """litellm leaves its streams at [DONE] to the collector, which may come seconds later."""

    async def scenario() -> None:
        client = rec.wrap(driver.client(driver.wire(Reply(headers=STREAM_HEADERS, chunks=STREAM))))
        request = client.build_request("POST", URL, content=ASK)
        sent = client.send(request, stream=True)
        response = await sent if driver.asynchronous else sent
        stream = response.stream
        if driver.asynchronous:
            reader = aiter(stream)
            [await anext(reader) for _ in STREAM]
        else:
            reader = iter(stream)
            [next(reader) for _ in STREAM]

    driver.run(scenario)
    gc.collect()
    assert rec.flush()
    exchange, call = only(records)
    assert (exchange.ending.kind, call.outcome) == ("abandoned", "ok")
    assert exchange.ending.at_ns == exchange.arrivals_ns[-1]


def test_stream_still_open_at_close_is_abandoned(
    driver: Driver, rec: recorder.Recorder, records: Records
) -> None:
    async def scenario() -> None:
        client = rec.wrap(driver.client(driver.wire(Reply(headers=STREAM_HEADERS, chunks=STREAM))))
        async with driver.stream(client, "POST", URL, content=ASK):
            assert rec.close()

    driver.run(scenario)
    assert only(records)[0].ending.kind == "abandoned"


def test_stream_iterated_again_goes_on_where_it_was_left(
    driver: Driver, rec: recorder.Recorder, records: Records
) -> None:
    async def scenario(mode: Any) -> list[bytes]:
        client = rec.wrap(driver.client(driver.wire(Reply(headers=STREAM_HEADERS, chunks=STREAM))))
        chunks: list[bytes] = []
        with rec.cassette("c", mode=mode):
            async with driver.stream(client, "POST", URL, content=ASK) as response:
                if driver.asynchronous:
                    async for chunk in response.stream:
                        chunks.append(chunk)
                        break
                    chunks.extend([chunk async for chunk in response.stream])
                else:
                    for chunk in response.stream:
                        chunks.append(chunk)
                        break
                    chunks.extend(response.stream)
        return chunks

    assert tuple(driver.run(lambda: scenario("once"))) == STREAM
    assert tuple(driver.run(lambda: scenario("none"))) == STREAM
    assert [exchange.chunks for exchange, _ in records] == [STREAM, STREAM]


@pytest.mark.parametrize(
    "name", ["ConnectError", "ConnectTimeout", "ReadTimeout", "WriteError", "PoolTimeout"]
)
def test_error_before_the_answer_reaches_the_caller_itself(
    driver: Driver, rec: recorder.Recorder, records: Records, name: str
) -> None:
    raised = getattr(driver.library, name)("no luck")

    async def scenario() -> Any:
        client = rec.wrap(driver.client(driver.wire(Reply(error=raised))))
        with pytest.raises(driver.library.TransportError) as caught:
            await driver.send(client, "POST", URL, content=ASK)
        return caught.value

    assert driver.run(scenario) is raised
    exchange, call = only(records)
    assert (exchange.ending.phase, exchange.head, call.outcome) == ("request", None, "error")
    assert call.error is not None
    assert call.error.type == f"{driver.library.__name__}.{name}"


def test_error_inside_the_stream_reaches_the_caller_after_the_same_chunks(
    driver: Driver, rec: recorder.Recorder, records: Records
) -> None:
    raised = driver.library.RemoteProtocolError("peer closed connection")

    async def scenario() -> Seen:
        client = rec.wrap(
            driver.client(driver.wire(Reply(headers=STREAM_HEADERS, chunks=[*STREAM[:2], raised])))
        )
        return await driver.observe(client, ASK)

    seen = driver.run(scenario)
    assert (seen.error, seen.chunks) == (driver.library.RemoteProtocolError, STREAM[:2])
    exchange, call = only(records)
    assert (exchange.ending.phase, exchange.chunks, call.outcome) == ("response", STREAM[:2], "error")


def test_response_read_before_it_came_is_recorded(
    driver: Driver, rec: recorder.Recorder, records: Records
) -> None:
    body = gzip.compress(ANSWER)

    async def scenario() -> Any:
        headers = (("content-type", "application/json"), ("content-encoding", "gzip"))
        client = rec.wrap(driver.client(driver.wire(Reply(headers=headers, chunks=[body], read=True))))
        return await driver.send(client, "POST", URL, content=ASK)

    assert driver.run(scenario).content == ANSWER
    exchange, call = only(records)
    assert (exchange.body, call.outcome, call.answer.choices[0].content) == (body, "ok", "Hello")


def test_status_101_passes_untouched(driver: Driver, rec: recorder.Recorder, records: Records) -> None:
    async def scenario() -> None:
        async with driver.stream(
            rec.wrap(driver.client(driver.wire(Reply(status=101, chunks=[])))), "POST", URL, content=ASK
        ) as response:
            assert type(response.stream).__module__.startswith(driver.library.__name__)

    driver.run(scenario)
    assert only(records)[1].http_status == 101


@pytest.mark.parametrize(("method", "url"), [("GET", URL), ("POST", "https://api.deepseek.com/models")])
def test_what_is_no_chat_completion_passes_unrecorded(
    driver: Driver, rec: recorder.Recorder, records: Records, method: str, url: str
) -> None:
    async def scenario() -> None:
        await driver.send(rec.wrap(driver.client(driver.wire())), method, url)

    driver.run(scenario)
    assert records == []


def test_redirects_and_retried_auth_are_calls_of_their_own(
    driver: Driver, rec: recorder.Recorder, records: Records
) -> None:
    moved = Reply(
        status=307, headers=(("location", "https://eu.deepseek.com/chat/completions"),), chunks=[b""]
    )

    async def scenario() -> None:
        client = rec.wrap(driver.client(driver.wire(moved, Reply(chunks=[ANSWER])), follow_redirects=True))
        await driver.send(client, "POST", URL, content=ASK)

    driver.run(scenario)
    assert [(call.http_status, call.request.host, call.outcome) for _, call in records] == [
        (307, "api.deepseek.com", "ok"),
        (200, "eu.deepseek.com", "ok"),
    ]


def test_auth_flow_that_asks_twice_gives_two_calls(
    driver: Driver, rec: recorder.Recorder, records: Records
) -> None:
    library = driver.library

    class Renewing(library.Auth):  # type: ignore[misc, name-defined]
        def auth_flow(self, request: Any) -> Any:
            response = yield request
            if response.status_code == 401:
                request.headers["authorization"] = "Bearer renewed-token-0123456789"
                yield request

    async def scenario() -> Any:
        client = rec.wrap(
            driver.client(driver.wire(Reply(status=401), Reply(chunks=[ANSWER])), auth=Renewing())
        )
        return await driver.send(client, "POST", URL, content=ASK)

    assert driver.run(scenario).status_code == 200
    assert [call.http_status for _, call in records] == [401, 200]
    assert b"renewed-token" not in b"".join(
        value for exchange, _ in records for _, value in exchange.request.headers
    )


def test_streamed_request_body_is_sent_and_recorded(
    driver: Driver, rec: recorder.Recorder, records: Records
) -> None:
    async def parts() -> Any:
        yield ASK[:10]
        yield ASK[10:]

    async def scenario() -> list[bytes]:
        wire = driver.wire(Reply(chunks=[ANSWER]))
        content = parts() if driver.asynchronous else iter([ASK[:10], ASK[10:]])
        await driver.send(rec.wrap(driver.client(wire)), "POST", URL, content=content)
        bodies: list[bytes] = wire.bodies
        return bodies

    assert driver.run(scenario) == [ASK]
    assert only(records)[0].request.body == ASK


def test_streamed_request_body_can_be_sent_once_as_without_us(driver: Driver, rec: recorder.Recorder) -> None:
    async def aparts() -> Any:
        yield ASK

    def parts() -> Any:
        yield ASK

    async def scenario(wrap: Any) -> type[BaseException]:
        moved = Reply(status=307, headers=(("location", URL),), chunks=[])
        client = wrap(driver.client(driver.wire(moved, Reply()), follow_redirects=True))
        with pytest.raises(driver.library.StreamError) as caught:
            await driver.send(client, "POST", URL, content=aparts() if driver.asynchronous else parts())
        return caught.type

    assert driver.run(lambda: scenario(rec.wrap)) is driver.run(lambda: scenario(lambda client: client))


def test_request_body_that_raises_is_a_record(
    driver: Driver, rec: recorder.Recorder, records: Records
) -> None:
    async def aparts() -> Any:
        yield ASK[:5]
        raise ZeroDivisionError

    def parts() -> Any:
        yield ASK[:5]
        raise ZeroDivisionError

    async def scenario() -> None:
        client = rec.wrap(driver.client(driver.wire()))
        with pytest.raises(ZeroDivisionError):
            await driver.send(client, "POST", URL, content=aparts() if driver.asynchronous else parts())

    driver.run(scenario)
    exchange, call = only(records)
    assert (exchange.request.body, call.outcome) == (ASK[:5], "error")
    assert call.error is not None
    assert call.error.type == "ZeroDivisionError"


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
@pytest.mark.parametrize("who", ["reader", "opener"])
def test_stream_read_in_another_task_than_it_was_opened_in(
    library: str, who: str, rec: recorder.Recorder, records: Records
) -> None:
    driver = Driver(library, asynchronous=True)

    async def read(response: Any, go_on: asyncio.Event) -> None:
        try:
            async for _ in response.aiter_raw():
                await go_on.wait()
                break
        finally:
            await response.aclose()

    async def scenario() -> None:
        client = rec.wrap(driver.client(driver.wire(Reply(headers=STREAM_HEADERS, chunks=STREAM))))
        go_on = asyncio.Event()
        opened: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def open_and_wait() -> None:
            request = client.build_request("POST", URL, content=ASK)
            opened.set_result(await client.send(request, stream=True))
            await asyncio.Event().wait()

        opener = asyncio.create_task(open_and_wait())
        reader = asyncio.create_task(read(await opened, go_on))
        await asyncio.sleep(0)
        (reader if who == "reader" else opener).cancel()
        await asyncio.sleep(0)
        go_on.set()
        opener.cancel()
        await asyncio.wait([opener, reader])

    driver.run(scenario)
    assert only(records)[1].outcome == ("cancelled" if who == "reader" else "incomplete")


def test_span_is_current_around_the_send_alone(
    driver: Driver, rec: recorder.Recorder, spans: InMemorySpanExporter
) -> None:
    during: list[str] = []

    class Watching(type(driver.wire())):  # type: ignore[misc]
        def reply(self, request: Any) -> Any:
            during.append(trace.get_current_span().name)  # type: ignore[attr-defined]
            return super().reply(request)

    async def scenario() -> None:
        client = rec.wrap(
            driver.client(Watching(driver.library, [Reply(headers=STREAM_HEADERS, chunks=STREAM)]))
        )
        async with driver.stream(client, "POST", URL, content=ASK) as response:
            assert not trace.get_current_span().get_span_context().is_valid
            async for _ in driver.raw(response):
                assert not trace.get_current_span().get_span_context().is_valid

    driver.run(scenario)
    assert during == ["chat deepseek-chat"]
    assert [span.name for span in spans.get_finished_spans()] == ["chat deepseek-chat"]


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
@pytest.mark.parametrize("where", ["head", "body", "between chunks", "between chunks, unclosed"])
def test_cancelled_task_is_recorded_as_cancelled(
    library: str, where: str, rec: recorder.Recorder, records: Records
) -> None:
    driver = Driver(library, asynchronous=True)

    async def forever() -> None:
        await asyncio.Event().wait()

    async def call(client: Any) -> None:
        if where.endswith("unclosed"):
            response = await client.send(client.build_request("POST", URL, content=ASK), stream=True)
            async for _ in response.aiter_raw():
                await forever()
        async with client.stream("POST", URL, content=ASK) as response:
            async for _ in response.aiter_raw():
                if where == "between chunks":
                    await forever()

    async def scenario() -> None:
        reply = Reply(headers=STREAM_HEADERS, chunks=STREAM)
        task = asyncio.create_task(call(rec.wrap(hanging_client(driver, reply, where, forever))))
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    driver.run(scenario)
    gc.collect()
    rec.flush()
    exchange, call_ = only(records)
    assert (exchange.ending.kind, call_.outcome) == ("cancelled", "cancelled")
    assert len(exchange.chunks) == (0 if where == "head" else 1)


def test_own_failure_is_logged_once_and_the_call_goes_on(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("bug")

    async def scenario() -> list[Seen]:
        wire = driver.wire(Reply(chunks=[ANSWER]), Reply(chunks=[ANSWER]))
        with recorder.Recorder(f"sqlite:///{tmp_path}/calls.db", strict=False) as rec:
            monkeypatch.setattr(rec._recording._beginning, "attempt", fail)
            client = rec.wrap(driver.client(wire))
            return [await driver.observe(client, ASK) for _ in range(2)]

    assert [seen.chunks for seen in driver.run(scenario)] == [(ANSWER,), (ANSWER,)]
    assert caplog.text.count("recorder failed") == 1


def test_close_leaves_clients_working_unrecorded(
    driver: Driver, rec: recorder.Recorder, records: Records
) -> None:
    async def scenario() -> Seen:
        client = rec.wrap(driver.client(driver.wire(Reply(chunks=[ANSWER]))))
        rec.close()
        return await driver.observe(client, ASK)

    assert driver.run(scenario).chunks == (ANSWER,)
    assert records == []
