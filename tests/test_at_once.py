"""Recordings that are played at once: the chunks as recorded, and a record of what their reader got of them."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from msgspec.structs import replace

import recorder
from recorder.adapters.at_once import AtOnceStream, whole_head
from recorder.attempt import Attempt
from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.ledger.store import Store
from recorder.recording import Recording
from recorder.replay_capture import ReplayCapture
from recorder.settings import Settings

from .drivers import Driver
from .test_replay import answer, ask, observe

CHUNKS = (b"a", b"", b"b", b"c")
WHOLE = Exchange(
    Request("POST", "https://llm.test/"), 0, Ending("complete"), ResponseHead(200), CHUNKS, (1,) * 4
)


class Made:
    """A stream whose reader is watched, and what is recorded of it."""

    def __init__(self, *, kept: bool = True) -> None:
        self.ended: list[Exchange] = []
        self.recording = Recording(Settings(store="memory"))
        capture = ReplayCapture(WHOLE.request, 0, self.end) if kept else None
        if capture is not None:
            capture.play(ResponseHead(200), CHUNKS)
        self.stream: Any = AtOnceStream(CHUNKS, capture, self.recording)

    def end(self, exchange: Exchange | ReplayCapture) -> None:
        self.ended.append(exchange.whole() if isinstance(exchange, ReplayCapture) else exchange)

    def outcome(self) -> list[tuple[str, tuple[bytes, ...]]]:
        self.recording.reap()
        return [(exchange.ending.kind, exchange.chunks) for exchange in self.ended]


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
    class AtPace:
        pace = "instant"

    attempt: Any = Attempt(None, "", None, None, 0, 0, None, session=AtPace())  # type: ignore[arg-type]
    assert whole_head(attempt, WHOLE) == WHOLE.head
    assert whole_head(attempt, replace(WHOLE, **changes)) is None
    AtPace.pace = "virtual"
    assert whole_head(attempt, WHOLE) is None


def test_exchange_of_a_replay_has_the_times_in_which_it_was_read() -> None:
    clock = iter(range(10, 100, 10))
    ended: list[Any] = []
    capture = ReplayCapture(WHOLE.request, 0, ended.append, lambda: next(clock))
    capture.play(ResponseHead(200, at_ns=7), CHUNKS)
    stream = AtOnceStream(CHUNKS, capture, Recording(Settings(store="memory")))
    assert list(stream) == list(CHUNKS)
    exchange = ended[0].whole()
    assert exchange.head == ResponseHead(200, at_ns=10)
    assert (exchange.chunks, exchange.arrivals_ns) == (CHUNKS, (20, 30, 40, 50))
    assert exchange.ending == Ending("complete", 60)


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
