"""Recordings that are played at once: the chunks as recorded, and a record of what their reader got of them."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from msgspec.structs import replace

import recorder
from recorder import played
from recorder.adapters import at_once
from recorder.adapters.at_once import AtOnceStream
from recorder.adapters.playback import build_response
from recorder.cassettes import Session
from recorder.ended import Ended
from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.ledger.store import Store
from recorder.played import Played, comes_whole
from recorder.recording import Recording
from recorder.settings import Settings
from recorder.tagging import NO_TAGS

from .cassette_sources import MemoryCassette
from .drivers import Driver
from .test_replay import answer, ask, observe

CHUNKS = (b"a", b"", b"b", b"c")
WHOLE = Exchange(
    Request("POST", "https://llm.test/"), 0, Ending("complete"), ResponseHead(200), CHUNKS, (1,) * 4
)


class Made:
    """A stream whose reader is watched, and what is recorded of it."""

    def __init__(self, *, kept: bool = True) -> None:
        self.ended: list[Ended | Played] = []
        self.recording = Recording(Settings(store="memory"), (self.ended.append,))
        route = self.recording.route("POST", "https://llm.test/chat/completions")
        assert route is not None
        replay = Played(
            *(self.recording, route, NO_TAGS, 1, 1, None, False, kept, WHOLE, WHOLE.request, 0),
            start_ns=10,
            head_ns=20,
        )
        if kept:
            self.recording._open.add(replay)
        self.stream: Any = AtOnceStream(CHUNKS, replay if kept else None)

    def outcome(self) -> list[tuple[str, tuple[bytes, ...]]]:
        self.recording.reap()
        return [(each.wire.ending.kind, each.wire.chunks) for each in self.ended]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_stream_that_is_read_to_its_end_is_complete(asynchronous: bool) -> None:
    async def read() -> list[bytes]:
        return [chunk async for chunk in made.stream]

    made = Made()
    assert (asyncio.run(read()) if asynchronous else list(made.stream)) == list(CHUNKS)
    made.stream.close()
    assert made.outcome() == [("complete", CHUNKS)]


def test_stream_left_early_holds_what_its_reader_got() -> None:
    made = Made()
    reader = iter(made.stream)
    assert [next(reader), next(reader)] == [b"a", b""]
    made.stream.close()
    assert made.outcome() == [("closed_early", (b"a", b""))]


def test_stream_that_nobody_holds_any_more_is_abandoned() -> None:
    made = Made()
    next(iter(made.stream))
    del made.stream
    gc.collect()
    assert made.outcome() == [("abandoned", (b"a",))]


def test_second_reader_goes_on_where_the_first_one_stopped() -> None:
    for made in (Made(), Made(kept=False)):
        assert next(iter(made.stream)) == b"a"
        assert list(made.stream) == [b"", b"b", b"c"]


@pytest.mark.parametrize(
    "changes",
    [
        {"ending": Ending("closed_early")},
        {"ending": Ending("error", 0, "response", "httpx2.ReadTimeout", "")},
        {"head": None},
        {"head": ResponseHead(101)},
        {"usage_asked": True},
    ],
)
def test_what_ends_otherwise_is_not_played_at_once(changes: dict[str, Any]) -> None:
    session = Session(MemoryCassette([]))
    assert comes_whole(WHOLE, session)
    assert not comes_whole(replace(WHOLE, **changes), session)
    assert not comes_whole(WHOLE, Session(MemoryCassette([]), pace="virtual"))


def test_exchange_of_a_replay_has_the_times_in_which_it_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(30, 100, 10))
    for module in (at_once, played):
        monkeypatch.setattr(module, "perf_counter_ns", lambda: next(clock))
    made = Made()
    assert list(made.stream) == list(CHUNKS)
    exchange = made.ended[0].wire
    assert exchange.head == ResponseHead(200, at_ns=10)
    assert (exchange.chunks, exchange.arrivals_ns) == (CHUNKS, (20, 30, 40, 50))
    assert exchange.ending == Ending("complete", 60)


def test_replay_ends_once_whoever_ends_it_first() -> None:
    made = Made()
    reader = iter(made.stream)
    next(reader)
    made.recording.abandon_open()
    assert list(reader) == [b"", b"b", b"c"]
    made.stream.close()
    assert made.outcome() == [("abandoned", (b"a",))]


@pytest.mark.parametrize("value", [b"plain", "é".encode(), b"\xe9"])
def test_headers_of_a_replay_have_the_encoding_that_the_library_finds(driver: Driver, value: bytes) -> None:
    headers = ((b"x-a", b"b"), (b"x-value", value))
    response = build_response(driver.library, ResponseHead(200, headers), None)
    assert response.headers.encoding == driver.library.Headers(headers).encoding
    assert response.headers.raw == list(headers)


def test_row_of_a_replay_holds_what_was_asked(driver: Driver, rec: recorder.Recorder) -> None:
    bodies = [ask(str(number)) for number in range(3)]
    observe(driver, rec, "once", bodies, [answer(str(number)) for number in range(3)])
    observe(driver, rec, "none", bodies[::-1], [])
    assert rec.flush()
    store = Store(rec.store)
    rows = [row for row in store.calls() if row["replayed"]]
    asked = [store.exchange(row["id"]).request.body for row in rows]
    assert sorted(asked) == bodies
    assert {row["outcome"] for row in rows} == {"ok"}
