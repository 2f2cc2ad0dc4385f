"""Measure how fast cassettes answer, beside vcrpy and a dict; `make bench` runs it after the costs of recording.

Distinct requests, bodies compared, one process, every recording asked for once. A contender whose single
calls take long is asked only a sample, from all over the cassette.

The contenders take turns, load by load, another one first each time. The first call after a load is slow for
each of them, since loading leaves nothing of it in the processor's caches, and the row of one recording has no
other calls. One who had all of his loads in a row would have the next call's code there from the one before,
the more of it the less his loading does: a dict that is loaded alone, five times in a row, is asked in 150 µs
then, and in 220 µs where anything else is loaded in between, be it a file or a store.

All but vcrpy, which joins them, give the chunks of a stream one by one, which takes the library its time.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console
from rich.table import Table

import recorder
from recorder.cassettes import Recorded
from recorder.cassettes.file import FileCassette
from recorder.exchange import Ending, Exchange, Request, ResponseHead

URL = "https://api.deepseek.com/chat/completions"
SIZES = ((1, 0), (100, 0), (1_000, 0), (10_000, 0), (1_000, 100))
"""How many recordings, of how many events each; 0 is an answer that is not streamed."""
MOST_S = 2.0
LARGE = 10_000
"""From so many recordings on, each is loaded once."""
HEADERS = {"authorization": "Bearer sk-bench", "content-type": "application/json"}

Opened = AbstractContextManager[httpx2.Client]


@dataclass(frozen=True, slots=True)
class Result:
    """One contender at one size; None where it was not installed."""

    name: str
    size: int
    events: int
    load_ms: float | None = None
    calls_per_s: float | None = None


def ask(number: int) -> bytes:
    messages = [
        {"role": "system", "content": "You are brief. " * 20},
        {"role": "user", "content": f"Question {number}: why is the sky blue? " + "Please. " * 60},
    ]
    return dump({"model": "deepseek-chat", "messages": messages, "temperature": 0.7})


def stream(number: int, events: int) -> tuple[bytes, ...]:
    """The chunks of a streamed answer."""
    chunks = [
        {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion.chunk",
            "created": 1_763_766_000,
            "model": "deepseek-chat",
            "choices": [{"index": 0, "delta": {"content": f" word{place}"}, "finish_reason": None}],
        }
        for place in range(events)
    ]
    return (*(b"data: " + dump(chunk) + b"\n\n" for chunk in chunks), b"data: [DONE]\n\n")


def answer(number: int) -> bytes:
    message = {"role": "assistant", "content": f"Answer {number}. " + "Because of scattering. " * 22}
    usage = {"prompt_tokens": 250, "completion_tokens": 180, "total_tokens": 430}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return dump(
        {"id": f"chatcmpl-{number}", "object": "chat.completion", "choices": [choice], "usage": usage}
    )


def dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def exchanges(size: int, events: int = 0) -> list[Exchange]:
    headers = ((b"content-type", b"application/json"), (b"authorization", b"Bearer REDACTED"))
    answered = ((b"content-type", b"text/event-stream" if events else b"application/json"),)
    found = []
    for number in range(size):
        chunks = stream(number, events) if events else (answer(number),)
        arrivals = tuple(4_500_000 + 20_000_000 * place for place in range(len(chunks)))
        found.append(
            Exchange(
                Request("POST", URL, headers, ask(number)),
                1_763_766_000_000_000 + number,
                Ending("complete", arrivals[-1] + 500_000),
                ResponseHead(200, answered, reason=b"OK", at_ns=4_000_000),
                chunks,
                arrivals,
            )
        )
    return found


class Refusing(httpx2.BaseTransport):
    """What no replay may reach."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        raise AssertionError("went live")


class Chunks(httpx2.SyncByteStream):
    """A streamed answer, as it came from the network and comes from a cassette."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


def respond(headers: dict[str, str], chunks: Sequence[bytes]) -> httpx2.Response:
    """An answer in one piece, or one in as many as were recorded."""
    if len(chunks) == 1:
        return httpx2.Response(200, headers=headers, content=chunks[0])
    return httpx2.Response(200, headers=headers, stream=Chunks(chunks))


def headers_of(recorded: list[Exchange]) -> dict[str, str]:
    head = recorded[0].head
    return {} if head is None else {name.decode(): value.decode() for name, value in head.headers}


@contextmanager
def a_dict(recorded: list[Exchange], folder: Path) -> Iterator[Callable[[], Opened]]:
    """The least that can be done: bodies as keys, behind the library's own mock transport."""
    path, headers = folder / "dict.json", headers_of(recorded)
    path.write_text(json.dumps([[e.request.body.decode(), [*map(bytes.decode, e.chunks)]] for e in recorded]))

    @contextmanager
    def load() -> Iterator[httpx2.Client]:
        answers = {body.encode(): [*map(str.encode, texts)] for body, texts in json.loads(path.read_text())}

        def handle(request: httpx2.Request) -> httpx2.Response:
            return respond(headers, answers[request.content])

        with httpx2.Client(transport=httpx2.MockTransport(handle)) as client:
            yield client

    yield load


@contextmanager
def recorder_file(recorded: list[Exchange], folder: Path) -> Iterator[Callable[[], Opened]]:
    path = folder / "cassette.yaml"
    FileCassette(path).save([Recorded(exchange, "") for exchange in recorded])

    @contextmanager
    def load() -> Iterator[httpx2.Client]:
        with (
            recorder.cassette(path) as cassette,
            httpx2.Client(transport=Refusing()) as client,
        ):
            yield cassette.wrap(client)

    yield load


@contextmanager
def recorder_store(recorded: list[Exchange], folder: Path) -> Iterator[Callable[[], Opened]]:
    with recorder.Recorder(f"sqlite:///{folder}/store.db") as rec:
        answers = {exchange.request.body: exchange.chunks for exchange in recorded}
        headers = headers_of(recorded)

        def handle(request: httpx2.Request) -> httpx2.Response:
            return respond(headers, answers[request.content])

        client = rec.wrap(httpx2.Client(transport=httpx2.MockTransport(handle)))
        with rec.cassette("bench", mode="rewrite"):
            for exchange in recorded:
                client.post(URL, content=exchange.request.body, headers=HEADERS)

        @contextmanager
        def load() -> Iterator[httpx2.Client]:
            with rec.cassette("bench") as cassette, httpx2.Client(transport=Refusing()) as client:
                yield cassette.wrap(client)
            rec.flush()  # or its thread would still be storing what was replayed while the next one has its turn

        yield load


@contextmanager
def vcrpy(recorded: list[Exchange], folder: Path) -> Iterator[Callable[[], Opened]]:
    vcr = import_module("vcr").VCR(record_mode="none", match_on=("method", "uri", "body"))
    serialize = import_module("vcr.serializers.yamlserializer").serialize
    interactions = [
        {
            "request": {
                "method": "POST",
                "uri": URL,
                "body": exchange.request.body.decode(),
                "headers": {"content-type": ["application/json"]},
            },
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {name: [value] for name, value in headers_of(recorded).items()},
                "body": {"string": exchange.body.decode()},
            },
        }
        for exchange in recorded
    ]
    path = folder / "vcr.yaml"
    path.write_text(serialize({"interactions": interactions, "version": 1}))

    @contextmanager
    def load() -> Iterator[httpx2.Client]:
        with vcr.use_cassette(str(path)), httpx2.Client() as client:
            yield client

    yield load


CONTENDERS = {
    "a dict, mocked": a_dict,
    "recorder, file": recorder_file,
    "recorder, store": recorder_store,
    "vcrpy": vcrpy,
}


def measure(size: int, events: int) -> list[Result]:
    """What each contender comes to at one size."""
    bodies = [ask(number) for number in range(size)]
    recorded = exchanges(size, events)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        loaders = {
            name: stack.enter_context(contender(recorded, Path(folder)))
            for name, contender in CONTENDERS.items()
            if name != "vcrpy" or find_spec("vcr") is not None
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in loaders}
        for turn in range(rounds(size)):
            for name in turned(list(loaders), turn):
                if all(load_s <= MOST_S for load_s, _ in found[name]):
                    found[name].append(take_turn(loaders[name], bodies))
    return [Result(name, size, events, *medians(found.get(name, []))) for name in CONTENDERS]


def rounds(size: int) -> int:
    """How often each is loaded: the fewer calls one load gives, the more often."""
    if size == 1:
        return 25
    return 1 if size >= LARGE else 5


def turned(names: list[str], turn: int) -> list[str]:
    """Another one first each time."""
    first = turn % len(names)
    return names[first:] + names[:first]


def take_turn(load: Callable[[], Opened], bodies: list[bytes]) -> tuple[float, float]:
    """How many seconds one load takes, and how many calls a second come after it."""
    gc.collect()
    started = time.perf_counter()
    with load() as client:
        load_s = time.perf_counter() - started
        return load_s, rate(client, bodies)


def medians(turns: list[tuple[float, float]]) -> tuple[float | None, float | None]:
    """Milliseconds a load and calls a second; None without a turn."""
    if not turns:
        return None, None
    return statistics.median(load_s for load_s, _ in turns) * 1000, statistics.median(r for _, r in turns)


def rate(client: httpx2.Client, bodies: list[bytes]) -> float:
    """Calls a second, out of medians of single calls; a sample of the bodies once the time is over."""
    took: list[float] = []
    begun = time.perf_counter()
    step = max(1, len(bodies) // 1_000)
    for body in bodies[::step]:
        started = time.perf_counter()
        client.post(URL, content=body, headers=HEADERS).raise_for_status()
        took.append(time.perf_counter() - started)
        if started - begun > MOST_S:
            break
    return 1 / statistics.median(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--format", choices=("table", "json"), default="table")
    as_json = parser.parse_args().format == "json"
    results = [result for size, events in SIZES for result in measure(size, events)]
    if as_json:
        print(json.dumps([{name: getattr(r, name) for name in Result.__slots__} for r in results], indent=2))
        return
    shown = Table(title="Replay of distinct requests, bodies compared", title_justify="left")
    shown.add_column("from")
    for column in ("recordings", "of events", "load (ms)", "calls/s", "of the dict's"):
        shown.add_column(column, justify="right")
    for result in results:
        shape = f"{result.size:,}", f"{result.events:,}" if result.events else "-"
        dict_rate = next(
            r.calls_per_s
            for r in results
            if (r.size, r.events) == (result.size, result.events) and "dict" in r.name
        )
        if result.calls_per_s is None or result.load_ms is None or dict_rate is None:
            shown.add_row(result.name, *shape, "not installed", "", "")
            continue
        share = f"{result.calls_per_s / dict_rate:.0%}"
        shown.add_row(result.name, *shape, f"{result.load_ms:,.1f}", f"{result.calls_per_s:,.0f}", share)
    Console().print(shown)


if __name__ == "__main__":
    main()
