"""Variants: recordings that fail, are refused, cut short or split otherwise, without a change of the cassette."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import recorder
from recorder import CassetteError, CassetteMiss
from recorder.cassettes import Changes, Recorded, variant_source
from recorder.cassettes.variant_source import VariantSource
from recorder.cassettes.variants import vary
from recorder.cassettes.variation import MESSAGES, Variation
from recorder.errors import SettingsError
from recorder.exchange import Ending, Exchange, Request, ResponseHead, header

from .cassette_sources import MemoryCassette
from .drivers import URL, Driver, Reply, Seen
from .test_replay import ask
from .test_transport import ANSWER, ASK, STREAM, STREAM_HEADERS

HEADERS = ((b"Content-Type", b"text/event-stream"), (b"X-Request-Id", b"r-1"))
GOOD = Exchange(
    Request("POST", URL, (), ASK),
    1_700_000_000_000_000,
    Ending("complete", 900),
    ResponseHead(200, HEADERS, at_ns=100),
    STREAM,
    (200, 300, 400, 500),
)
PLAIN = replace(GOOD, chunks=(ANSWER,), arrivals_ns=(200,), head=ResponseHead(200, (), at_ns=100))
REFUSED = Exchange(GOOD.request, 1, Ending("error", 50, "request", "httpx.ConnectError", "refused"))


def compressed(exchange: Exchange, pieces: int = 3) -> Exchange:
    wire = gzip.compress(exchange.body)
    size = len(wire) // pieces + 1
    chunks = tuple(wire[at : at + size] for at in range(0, len(wire), size))
    headers = (*HEADERS, (b"Content-Encoding", b"gzip"), (b"Content-Length", str(len(wire)).encode()))
    return replace(
        exchange,
        head=ResponseHead(200, headers, at_ns=100),
        chunks=chunks,
        arrivals_ns=tuple(range(200, 200 + len(chunks))),
    )


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    chunks = draw(
        st.lists(st.binary(max_size=30) | st.sampled_from([*STREAM, "data: ü\n\n".encode()]), max_size=6)
    )
    gaps = draw(st.lists(st.integers(0, 50), min_size=len(chunks), max_size=len(chunks)))
    return replace(GOOD, chunks=tuple(chunks), arrivals_ns=tuple(accumulate(gaps, initial=100))[1:])


ways = (
    st.sampled_from(["byte", "event", "one"])
    | st.integers()
    | st.tuples(st.just("bytes"), st.integers(1, 40))
)


@given(exchange=exchanges(), how=ways)
def test_any_rechunk_gives_the_same_bytes_at_times_in_order(exchange: Exchange, how: Any) -> None:
    split = vary(exchange, rechunk=how)
    assert split.body == exchange.body
    assert len(split.chunks) == len(split.arrivals_ns)
    assert all(split.chunks)
    assert list(split.arrivals_ns) == sorted(split.arrivals_ns)
    assert set(split.arrivals_ns) <= set(exchange.arrivals_ns)
    assert vary(exchange, rechunk=how) == split


@given(exchange=exchanges(), how=ways)
def test_rechunk_of_a_compressed_answer_keeps_its_text(exchange: Exchange, how: Any) -> None:
    packed = compressed(exchange)
    split = vary(packed, rechunk=how)
    if how == "event":
        assert split.body == exchange.body
        assert split.head is not None
        assert header(split.head.headers, b"content-encoding") is None
        assert header(split.head.headers, b"content-length") == str(len(exchange.body)).encode()
    else:
        assert (split.body, split.head) == (packed.body, packed.head)


def test_rechunk_by_event_gives_one_event_a_chunk() -> None:
    glued = vary(GOOD, rechunk="one")
    assert glued.chunks == (b"".join(STREAM),)
    assert vary(glued, rechunk="event").chunks == STREAM
    assert vary(PLAIN, rechunk="event").chunks == (ANSWER,)


def test_rechunk_by_seed_splits_the_same_everywhere_and_inside_field_names() -> None:
    split = vary(GOOD, rechunk=7)
    assert [len(chunk) for chunk in split.chunks[:6]] == [2, 1, 14, 1, 8, 3]
    assert split.chunks != vary(GOOD, rechunk=8).chunks


def test_chunk_comes_in_when_its_last_byte_did() -> None:
    bytewise = vary(GOOD, rechunk="byte")
    assert bytewise.arrivals_ns == tuple(
        at for chunk, at in zip(GOOD.chunks, GOOD.arrivals_ns, strict=True) for _ in chunk
    )


@pytest.mark.parametrize("cut", [0, 1, 3, 4])
def test_failure_after_chunks_or_events_keeps_what_came_before(cut: int) -> None:
    by_chunk = vary(GOOD, fail_after_chunk=cut, error="ReadTimeout")
    assert by_chunk == vary(GOOD, fail_after_event=cut, error="ReadTimeout")
    assert (by_chunk.chunks, by_chunk.head) == (STREAM[:cut], GOOD.head)
    at = (*GOOD.arrivals_ns, 900)[cut]
    assert by_chunk.ending == Ending(
        "error", at, "response", "httpx.ReadTimeout", "The read operation timed out"
    )


def test_events_are_counted_before_splitting_and_chunks_after() -> None:
    halves = vary(GOOD, rechunk="byte", fail_after_event=1)
    assert halves.body == STREAM[0]
    assert len(halves.chunks) == len(STREAM[0])
    assert vary(GOOD, rechunk="byte", fail_after_chunk=5).body == STREAM[0][:5]


def test_events_of_a_compressed_answer_are_those_of_its_text() -> None:
    cut = vary(compressed(GOOD), fail_after_event=2)
    assert cut.body == b"".join(STREAM[:2])
    assert cut.head is not None
    assert header(cut.head.headers, b"content-encoding") is None


def test_close_ends_the_answer_early_without_an_error_or_a_promise() -> None:
    closed = vary(compressed(GOOD), close_after_chunk=1)
    assert closed.ending == Ending("complete", 201)
    assert closed.head is not None
    assert header(closed.head.headers, b"content-length") is None
    assert vary(GOOD, close_after_event=1).chunks == STREAM[:1]


@pytest.mark.parametrize("name", MESSAGES)
def test_error_alone_comes_before_the_response(name: str) -> None:
    failed = vary(GOOD, error=name)
    assert (failed.head, failed.chunks) == (None, ())
    assert failed.ending == Ending("error", 100, "request", f"httpx.{name}", MESSAGES[name])


def test_error_can_be_a_class_with_a_text_of_ones_own() -> None:
    failed = vary(REFUSED, error=ConnectionResetError, message="gone")
    assert failed.ending == Ending("error", 50, "request", "builtins.ConnectionResetError", "gone")


def test_status_brings_an_error_body_and_retry_after() -> None:
    limited = vary(compressed(GOOD), status=429, retry_after=2, headers={"x-left": "0"}, message="slow down")
    assert limited.head is not None
    assert limited.head.status == 429
    assert dict(limited.head.headers) == {
        b"X-Request-Id": b"r-1",
        b"content-type": b"application/json",
        b"content-length": str(len(limited.body)).encode(),
        b"retry-after": b"2",
        b"x-left": b"0",
    }
    assert json.loads(limited.body)["error"]["message"] == "slow down"
    assert limited.ending == Ending("complete", 100)


def test_status_of_success_keeps_the_body_and_a_given_body_replaces_it() -> None:
    assert vary(GOOD, status=201).chunks == STREAM
    assert vary(GOOD, body="data: [DONE]\n\n").body == b"data: [DONE]\n\n"
    assert vary(GOOD, body={"choices": []}).body == b'{"choices": []}'
    assert vary(REFUSED, status=503).head is not None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "changes something: fail_after_chunk"),
        ({"fail_after_chunk": 1, "close_after_event": 1}, "exclude each other"),
        ({"fail_after_chunk": -1}, "is 0 or more"),
        ({"fail_after_chunk": True}, "is 0 or more"),
        ({"fail_after_event": 1, "error": "ConnectError"}, "before a response only"),
        ({"close_after_chunk": 1, "error": "ReadError"}, "use fail_after"),
        ({"error": "ReadTimeOut"}, "it is one of CloseError, .*ReadTimeout"),
        ({"error": httpx.HTTPStatusError}, "it is one of CloseError"),
        ({"error": KeyboardInterrupt}, "cannot be raised by a replay"),
        ({"error": openai.RateLimitError}, "cannot be raised by a replay"),
        ({"error": 5}, "neither an exception class"),
        ({"error": "ReadError", "rechunk": "byte"}, "leaves no answer to change by rechunk"),
        ({"message": "x"}, "give error"),
        ({"status": 42}, "200 to 599"),
        ({"rechunk": "word"}, "'byte', 'event', 'one'"),
        ({"rechunk": ("bytes", 0)}, "'byte', 'event', 'one'"),
        ({"rechunk": True}, "'byte', 'event', 'one'"),
        ({"speed": 2}, "speed is nothing that a variant changes"),
    ],
)
def test_change_that_nothing_can_have_is_refused_with_what_can(changes: Any, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        vary(GOOD, **changes)


@pytest.mark.parametrize(
    ("exchange", "changes", "says"),
    [
        (GOOD, {"fail_after_chunk": 5}, "has 4 chunks; fail_after_chunk is 0 to 4"),
        (GOOD, {"close_after_event": 9}, "has 4 events"),
        (PLAIN, {"fail_after_event": 1}, "has 0 events"),
        (REFUSED, {"rechunk": "byte"}, "without a response"),
        (REFUSED, {"status": 200}, "give the body"),
        (
            replace(compressed(GOOD), chunks=(b"no gzip",), arrivals_ns=(1,)),
            {"fail_after_event": 1},
            "decoded",
        ),
    ],
)
def test_change_that_this_recording_cannot_have_says_why(exchange: Exchange, changes: Any, says: str) -> None:
    with pytest.raises(CassetteError, match=says):
        vary(exchange, **changes)


def source(select: Any = None, times: Any = None, **changes: Any) -> VariantSource:
    recordings = (Recorded(GOOD, "a"), Recorded(PLAIN, "b", lane=1))
    kept = MemoryCassette(recordings, "c")
    return VariantSource(kept, kept.load, Variation(**changes), select, times)


def loaded(source: VariantSource) -> list[tuple[str, bool]]:
    """Which calls there are, and whether each is changed."""
    return [(each.call_id, each.exchange not in (GOOD, PLAIN)) for each in source.load() or ()]


def test_select_chooses_by_index_or_by_exchange() -> None:
    assert loaded(source(status=500)) == [("a", True), ("b", True)]
    assert loaded(source(-1, status=500)) == [("a", False), ("b", True)]
    assert loaded(source([0, 1], status=500)) == [("a", True), ("b", True)]
    assert loaded(source(lambda exchange: exchange is GOOD, status=500)) == [("a", True), ("b", False)]


def test_times_puts_the_change_before_the_recording_itself() -> None:
    assert loaded(source(0, 2, status=429)) == [("a", True), ("a", True), ("a", False), ("b", False)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"select": 2}, "select=2 is beyond cassette 'c', which has 2 recordings"),
        ({"select": lambda exchange: False}, "chooses none of the 2"),
        ({"fail_after_chunk": 3}, "recording 1 of cassette 'c' cannot vary so: .*has 1 chunks.*select="),
    ],
)
def test_selection_that_does_not_fit_names_the_recording(options: Any, says: str) -> None:
    with pytest.raises(CassetteError, match=says):
        source(**{"status": 500, **options} if "select" in options else options).load()


def test_variant_saves_nothing() -> None:
    with pytest.raises(CassetteError, match="only played"):
        source(status=500).save(())
    with pytest.raises(SettingsError, match="1 or more"):
        source(times=0, status=500)


Rec = recorder.Recorder


def record(driver: Driver, rec: Rec, *replies: Reply) -> None:
    """Ask as many different things as there are replies, into cassette `c`."""
    client = rec.wrap(driver.client(driver.wire(*replies)))

    async def scenario() -> None:
        with rec.cassette("c", mode="once"):
            for number, _ in enumerate(replies):
                await driver.observe(client, ask(str(number)))

    driver.run(scenario)


def stream() -> Reply:
    return Reply(headers=STREAM_HEADERS, chunks=STREAM)


def play(driver: Driver, rec: Rec, *bodies: bytes, **changes: Any) -> list[Seen]:
    client = rec.wrap(driver.client(driver.wire()))

    async def scenario() -> list[Seen]:
        with rec.cassette("c").variant(**changes):
            return [await driver.observe(client, body) for body in bodies]

    seen: list[Seen] = driver.run(scenario)
    return seen


def test_failure_in_the_body_is_the_calling_librarys_own(driver: Driver, rec: Rec) -> None:
    record(driver, rec, stream())
    (seen,) = play(driver, rec, ask("0"), fail_after_event=2, error="ReadTimeout")
    assert (seen.status, seen.chunks) == (200, STREAM[:2])
    assert (seen.error, seen.message) == (driver.library.ReadTimeout, "The read operation timed out")


@pytest.mark.parametrize("name", MESSAGES)
def test_every_error_before_the_response_is_raised_as_itself(driver: Driver, rec: Rec, name: str) -> None:
    record(driver, rec, stream())
    (seen,) = play(driver, rec, ask("0"), error=name, message="so")
    assert (seen.status, seen.chunks) == (None, ())
    assert (seen.error, seen.message) == (getattr(driver.library, name), "so")


def test_limit_hit_once_lets_the_next_try_through(driver: Driver, rec: Rec) -> None:
    record(driver, rec, stream(), stream())
    first, second, other = play(driver, rec, *map(ask, "001"), status=429, retry_after=0.5, times=1, select=0)
    assert (first.status, dict(first.headers)[b"retry-after"]) == (429, b"0.5")
    assert (second.status, second.chunks) == (other.status, other.chunks) == (200, STREAM)


def test_repeat_keeps_failing(driver: Driver, rec: Rec) -> None:
    record(driver, rec, stream())
    assert [seen.status for seen in play(driver, rec, *[ask("0")] * 3, status=503, repeat="last")] == [
        503
    ] * 3


def test_bytewise_compressed_stream_decodes_to_the_same_text(driver: Driver, rec: Rec) -> None:
    headers = (*STREAM_HEADERS, ("content-encoding", "gzip"))
    record(driver, rec, Reply(headers=headers, chunks=[gzip.compress(b"".join(STREAM))]))
    client = rec.wrap(driver.client(driver.wire()))

    async def text() -> Any:
        with rec.cassette("c").variant(rechunk="byte"):
            return (await driver.send(client, "POST", URL, content=ask("0"))).content

    assert driver.run(text) == b"".join(STREAM)


def test_variant_answers_clients_that_were_wrapped_for_the_cassette_and_only_inside_it(
    driver: Driver, rec: Rec
) -> None:
    record(driver, rec, stream(), stream())

    async def scenario() -> list[int | None]:
        with rec.cassette("c") as cassette:
            client = cassette.wrap(driver.client(driver.wire()))
            with cassette.variant(status=500):
                inside = await driver.observe(client, ask("0"))
            return [inside.status, (await driver.observe(client, ask("0"))).status]

    assert driver.run(scenario) == [500, 200]


def test_variant_plays_what_its_cassette_has_recorded_a_moment_ago(driver: Driver, rec: Rec) -> None:
    client = rec.wrap(driver.client(driver.wire(stream())))

    async def scenario() -> list[int | None]:
        with rec.cassette("c", mode="once") as cassette:
            live = await driver.observe(client, ask("0"))
            with cassette.variant(status=500):
                return [live.status, (await driver.observe(client, ask("0"))).status]

    assert driver.run(scenario) == [200, 500]
    with rec.cassette("c") as cassette:
        (kept,) = cassette.recordings
    assert kept.exchange.head is not None
    assert kept.exchange.head.status == 200


def test_variant_does_not_change_its_cassette(driver: Driver, rec: Rec) -> None:
    record(driver, rec, stream())
    with rec.cassette("c") as cassette:
        before = cassette.recordings
    play(driver, rec, ask("0"), fail_after_chunk=1)
    with rec.cassette("c") as cassette:
        assert cassette.recordings == before


def test_miss_of_a_variant_is_a_miss_of_its_cassette(driver: Driver, rec: Rec) -> None:
    record(driver, rec, stream())

    async def scenario() -> Any:
        with rec.cassette("c") as cassette:
            client = cassette.wrap(driver.client(driver.wire()))
            with pytest.raises(CassetteMiss), cassette.variant(status=500):
                await driver.observe(client, ask("other"))
            return cassette.report

    assert ["other" in miss for miss in driver.run(scenario).misses] == [True]


def test_what_a_variant_played_is_not_unused(driver: Driver, rec: Rec) -> None:
    record(driver, rec, stream(), stream())

    async def scenario() -> Any:
        with rec.cassette("c") as cassette:
            client = cassette.wrap(driver.client(driver.wire()))
            with cassette.variant(status=500, times=2):
                await driver.observe(client, ask("1"))
            return cassette.report

    assert [json.loads(each.exchange.request.body) for each in driver.run(scenario).unused] == [
        json.loads(ask("0"))
    ]


def test_tasks_outside_the_variant_get_the_cassettes_own_answers(rec: Rec) -> None:
    driver = Driver("httpx2", asynchronous=True)
    record(driver, rec, stream())

    async def asked(client: Any, variant: Any) -> int | None:
        with variant:
            await asyncio.sleep(0)
            seen = await driver.observe(client, ask("0"))
            await asyncio.sleep(0)
            return seen.status

    async def scenario() -> list[int | None]:
        with rec.cassette("c") as cassette:
            client = cassette.wrap(driver.client(driver.wire()))
            variants = cassette.variant(status=500), nullcontext(), cassette.variant(status=503)
            return list(await asyncio.gather(*[asked(client, variant) for variant in variants]))

    assert driver.run(scenario) == [500, 200, 503]


@pytest.mark.parametrize("by_cassette", [True, False])
def test_thread_of_no_context_uses_the_only_variant(rec: Rec, by_cassette: bool) -> None:
    driver = Driver("httpx2", asynchronous=False)
    record(driver, rec, stream())
    seen: list[Seen] = []
    with rec.cassette("c") as cassette:
        client = (cassette if by_cassette else rec).wrap(driver.client(driver.wire()))
        with cassette.variant(status=500):
            thread = threading.Thread(
                target=lambda: seen.append(driver.run(lambda: driver.observe(client, ask("0"))))
            )
            thread.start()
            thread.join()
    assert seen[0].status == 500


def test_variant_of_a_file_leaves_the_file_as_it_is(driver: Driver, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"

    async def scenario(mode: Any, change: Callable[[Any], Any], *replies: Reply) -> Seen:
        with recorder.cassette(path, mode) as cassette, change(cassette) as used:
            return await driver.observe(used.wrap(driver.client(driver.wire(*replies))), ask("0"))

    driver.run(lambda: scenario("once", nullcontext, stream()))
    before = path.read_bytes()
    changes: list[Changes] = [{"fail_after_chunk": 1}, {"status": 429}, {"rechunk": 3}]
    for change in changes:
        varying = partial(recorder.Cassette.variant, **change)
        varied = driver.run(partial(scenario, "none", varying))
        assert (varied.status, varied.chunks) != (200, STREAM)
    assert path.read_bytes() == before
    assert driver.run(lambda: scenario("none", nullcontext)).chunks == STREAM


def at_times(exchange: Exchange) -> Exchange:
    """The exchange as if it had taken seconds."""
    head = exchange.head and replace(exchange.head, at_ns=1_000_000_000)
    arrivals = tuple(range(2_000_000_000, 10_000_000_000, 1_000_000_000))[: len(exchange.chunks)]
    return replace(
        exchange, head=head, arrivals_ns=arrivals, ending=replace(exchange.ending, at_ns=9_500_000_000)
    )


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets variants play recordings that took seconds."""
    monkeypatch.setattr(
        variant_source,
        "varied",
        lambda exchange, change: at_times(exchange) if change.status == 200 else exchange,
    )
    for module in ("playback", "sync_transport", "async_transport"):
        for name in ("sleep", "pause"):
            monkeypatch.setattr(f"recorder.adapters.{module}.{name}", None, raising=False)


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize(("leave_after", "took"), [(None, 9.5), (2, 3.0), (4, 9.5), (0, 1.0)])
def test_virtual_pace_shows_recorded_times_to_caller_and_recorder_without_waiting(
    driver: Driver, rec: Rec, records: Any, leave_after: int | None, took: float
) -> None:
    record(driver, rec, stream())
    client = rec.wrap(driver.client(driver.wire()))

    async def scenario() -> Any:
        with rec.cassette("c").variant(status=200, pace="virtual"):
            async with driver.stream(client, "POST", URL, content=ask("0")) as response:
                chunks = driver.raw(response)
                for _ in range(10 if leave_after is None else leave_after):
                    try:
                        await anext(chunks)
                    except StopAsyncIteration:
                        break
            return response

    response = driver.run(scenario)
    assert response.elapsed.total_seconds() == took
    ended = records[-1]
    assert replayed_times(ended) == (1.0, [2.0, 3.0, 4.0, 5.0][:leave_after], took)


@pytest.mark.usefixtures("slow")
def test_virtual_pace_of_a_plain_answer_and_of_an_error(driver: Driver, rec: Rec, records: Any) -> None:
    record(driver, rec, Reply(chunks=[ANSWER]), Reply(error=driver.library.ReadTimeout("slow")))
    client = rec.wrap(driver.client(driver.wire()))

    async def scenario() -> Any:
        with rec.cassette("c").variant(status=200, pace="virtual"):
            response = await driver.send(client, "POST", URL, content=ask("0"))
            with pytest.raises(driver.library.ReadTimeout):
                await driver.send(client, "POST", URL, content=ask("1"))
            return response

    assert driver.run(scenario).elapsed.total_seconds() == 9.5
    assert [replayed_times(ended) for ended in records[-2:]] == [(1.0, [2.0], 9.5), (None, [], 9.5)]


@pytest.mark.usefixtures("slow")
def test_virtual_pace_reaches_the_spans_of_another_recorder_above(
    driver: Driver, rec: Rec, tmp_path: Path
) -> None:
    record(driver, rec, stream())
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with recorder.Recorder(f"sqlite:///{tmp_path}/above.db", tracer_provider=provider, strict=True) as above:

        async def scenario() -> None:
            with rec.cassette("c").variant(status=200, pace="virtual") as variant:
                client = above.wrap(variant.wrap(driver.client(driver.wire())))
                await driver.observe(client, ask("0"))

        driver.run(scenario)
    (span,) = exporter.get_finished_spans()
    assert span.start_time is not None
    assert span.end_time is not None
    assert abs(span.end_time - span.start_time - 9_500_000_000) < 2_000


@pytest.mark.usefixtures("slow")
def test_other_paces_leave_elapsed_as_it_is(driver: Driver, rec: Rec) -> None:
    record(driver, rec, stream())
    client = rec.wrap(driver.client(driver.wire()))

    async def scenario() -> Any:
        with rec.cassette("c").variant(status=200):
            return await driver.send(client, "POST", URL, content=ask("0"))

    assert driver.run(scenario).elapsed.total_seconds() < 1


def replayed_times(ended: Any) -> tuple[float | None, list[float], float]:
    """Seconds of head, chunks and end, as recorder measured them."""
    exchange = ended[0]
    return (
        exchange.head and exchange.head.at_ns / 1e9,
        [at / 1e9 for at in exchange.arrivals_ns],
        exchange.ending.at_ns / 1e9,
    )
