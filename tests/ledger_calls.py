"""Exchanges and calls for the ledger's tests, and a program that writes many."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import msgspec

from recorder.call import AnswerHalf, Call, Choice, RequestHalf, Usage
from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.ledger.sink import Sink
from recorder.ledger.writer import Writer
from recorder.sampling import Content

START_US = 1_763_766_000_000_000
BODY = b'{"model":"small-1","messages":[{"role":"user","content":"Where does the river begin?"}]}'
ANSWER = b'{"id":"c-1","choices":[{"index":0,"message":{"content":"In the hills."},"finish_reason":"stop"}]}'

_numbers = count(1)


def an_exchange(body: bytes = BODY, chunks: tuple[bytes, ...] = (ANSWER,), **changes: Any) -> Exchange:
    """A complete exchange, with whatever is to be different."""
    exchange = Exchange(
        request=Request("POST", "http://model.test/v1/chat/completions", ((b"Host", b"model.test"),), body),
        started_us=START_US,
        ending=Ending("complete", 5_000_000),
        head=ResponseHead(200, ((b"Content-Type", b"application/json"),), reason=b"OK", at_ns=4_000_000),
        chunks=chunks,
        arrivals_ns=tuple(range(4_500_000, 4_500_000 + len(chunks))),
    )
    return msgspec.structs.replace(exchange, **changes)


def a_call(**changes: Any) -> Call:
    """A call that went well, with an id of its own and whatever is to be different."""
    number = next(_numbers)
    call = Call(
        id=f"019aa000-0000-7000-8000-{number:012x}",
        operation_id=f"operation-{number}",
        started_us=START_US + number,
        duration_ns=5_000_999,
        request=RequestHalf("chat", "corp", "model.test", 443, "chat", "small"),
        answer=AnswerHalf(
            complete=True,
            response_id="c-1",
            model="small-1",
            choices=(Choice(finish_reason="stop"),),
            usage=Usage(12, 0, None, 5, None),
        ),
        outcome="ok",
        http_status=200,
        first_byte_ns=4_000_000,
    )
    return msgspec.structs.replace(call, **changes)


class Read(msgspec.Struct, frozen=True):
    """A record that was read already."""

    exchange: Exchange
    call: Call
    size: int = 5_000
    content: Content = "kept"


def record(call: Call, exchange: Exchange | None = None) -> Read:
    """A record as the writer gets it."""
    return Read(exchange or an_exchange(), call)


def store_calls(url: str, *calls: Call, exchange: Exchange | None = None) -> None:
    """Store calls at once, in this thread."""
    store_records(url, [record(call, exchange) for call in calls])


def store_records(url: str, records: Sequence[Read]) -> None:
    """The same for calls with exchanges of their own."""
    sink = Sink(url)
    sink.store(records)
    sink.close()


def put_calls(writer: Writer, number: int) -> list[str]:
    """Put so many calls; their ids."""
    calls = [a_call() for _ in range(number)]
    for call in calls:
        writer.put(record(call))
    return [call.id for call in calls]


def write_many(url: str, name: str, number: int, barrier: Any) -> None:
    """What another process does: begin together with the others, write, and tell by its exit status."""
    barrier.wait(30)
    writer = Writer(url, 64 << 20)
    for position in range(number):
        writer.put(record(a_call(id=f"{name}-{position}")))
    if not writer.close(60.0):
        raise SystemExit(str(writer.last_error))
