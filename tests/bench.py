"""Measure what recording adds to a call, beside its peers; `make bench` runs it, in under a minute.

Everything runs in one process over an in-memory transport. The contenders take turns in rounds, so that
a machine's bad moments hit all of them; what is shown are medians of single calls. What a contender does
between its turns (the recorder stores its last records, vcrpy opens a new cassette) is not in the numbers.
Before each stream a few small calls warm the processor's caches: without them a client that does nothing
between streams would be measured warm, and one that reads a stream at its end cold.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console
from rich.table import Table

import recorder

URL = "https://api.deepseek.com/chat/completions"
CHUNKS = 1000
ROUNDS = 60
CALLS_A_ROUND = 40
STREAMS_A_ROUND = 3
WARMING_CALLS = 5
IMPORTS = 15

Marks = tuple[int, int, int, int]
"""Nanoseconds at the start of a stream, at its first chunk, at its last chunk, after its end."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A client to measure: `around` is entered for each turn, `settle` called after it, both untimed."""

    name: str
    client: httpx2.Client | None = None
    method: str = "POST"
    extensions: Callable[[], dict[str, Any]] = dict
    around: Callable[[], AbstractContextManager[Any]] = nullcontext
    settle: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Samples:
    """What was measured of one contender, in nanoseconds."""

    calls: list[int] = field(default_factory=list)
    conversations: list[int] = field(default_factory=list)
    streams: list[Marks] = field(default_factory=list)
    chunks: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One contender's medians in microseconds; None where it is not installed or the number has no sense."""

    name: str
    call_us: float | None = None
    call_p99_us: float | None = None
    conversation_us: float | None = None
    first_chunk_us: float | None = None
    chunk_us: float | None = None
    chunk_to_end_us: float | None = None


class Body(httpx2.SyncByteStream):
    def __init__(self, chunks: tuple[bytes, ...]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks


def answer(request: httpx2.Request) -> httpx2.Response:
    """A fresh, unread response: a stream if the request's body ends as `stream_body` does."""
    request.read()
    if request.content.endswith(b'"stream":true}'):
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Body(EVENTS))
    return httpx2.Response(200, headers={"content-type": "application/json"}, stream=Body((ANSWER,)))


class Memory(httpx2.BaseTransport):
    """An upstream that answers at once."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return answer(request)


def dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def request_body(**more: Any) -> bytes:
    messages = [
        {"role": "system", "content": "You are brief. " * 20},
        {"role": "user", "content": "Why is the sky blue? " * 28},
    ]
    return dump({"model": "deepseek-chat", "messages": messages, "temperature": 0.7} | more)


def events() -> Iterator[bytes]:
    """A stream as DeepSeek sends it, about 250 bytes an event and an event a chunk."""
    head = {
        "id": "2f1c8a30-6f0a-4a43-9f0e-8d1c7f3b5a17",
        "object": "chat.completion.chunk",
        "created": 1_760_000_000,
        "model": "deepseek-chat",
        "system_fingerprint": "fp_3a5770e1b4_prod",
    }
    for number in range(CHUNKS - 2):
        delta = {"content": f" word{number}"}
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        yield b"data: " + dump({**head, "choices": [choice]}) + b"\n\n"
    choice = {"index": 0, "delta": {"content": ""}, "logprobs": None, "finish_reason": "stop"}
    yield b"data: " + dump({**head, "choices": [choice], "usage": USAGE}) + b"\n\n"
    yield b"data: [DONE]\n\n"


USAGE = {"prompt_tokens": 250, "completion_tokens": 180, "total_tokens": 430}
MESSAGE = {"role": "assistant", "content": "Because of Rayleigh scattering. " * 22}
CHOICE = {"index": 0, "message": MESSAGE, "logprobs": None, "finish_reason": "stop"}
ANSWER = dump({"id": "chatcmpl-1", "object": "chat.completion", "choices": [CHOICE], "usage": USAGE})
EVENTS = tuple(events())
CALL_BODY = request_body()
HISTORY = dump(
    [
        {"role": ("user", "assistant")[turn % 2], "content": f"Turn {turn}. " + "Why is the sky blue? " * 46}
        for turn in range(40)
    ]
)[1:-1]
STREAM_BODY = request_body(stream=True)
HEADERS = {"authorization": "Bearer sk-bench", "content-type": "application/json"}


def tracer_provider() -> Any:
    """An SDK that makes real spans and sends them nowhere."""
    trace = import_module("opentelemetry.sdk.trace")
    provider = trace.TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(trace.SpanProcessor())
    return provider


def bare(stack: ExitStack, folder: Path) -> Contender:
    return Contender("bare httpx2", stack.enter_context(httpx2.Client(transport=Memory())))


def recording(name: str, stack: ExitStack, store: Path, **options: Any) -> Contender:
    rec = recorder.Recorder(f"sqlite:///{store}", **options)
    stack.callback(rec.close)
    client = rec.wrap(stack.enter_context(httpx2.Client(transport=Memory())))

    def settle() -> None:
        if not rec.flush(timeout=30.0):
            sys.exit(f"{name}: {rec.lost} records lost, so its numbers would say nothing")

    return Contender(name, client, settle=settle)


def recorder_with_spans(stack: ExitStack, folder: Path) -> Contender:
    name = "recorder: record and span"
    return recording(name, stack, folder / "spans.db", tracer_provider=tracer_provider())


def recorder_alone(stack: ExitStack, folder: Path) -> Contender:
    return recording("recorder: record, no SDK", stack, folder / "alone.db")


def vcrpy(stack: ExitStack, folder: Path) -> Contender:
    class Nowhere:
        """Recordings are dropped instead of written, in vcrpy's favour."""

        @staticmethod
        def load_cassette(path: Any, serializer: Any) -> Any:
            raise cassette_missing

        @staticmethod
        def save_cassette(path: Any, cassette: Any, serializer: Any) -> None:
            pass

    cassette_missing = import_module("vcr.persisters.filesystem").CassetteNotFoundError()
    vcr = import_module("vcr").VCR(record_mode="all")
    vcr.register_persister(Nowhere)
    # vcrpy patches the transports that it knows, and MockTransport does not read what its handler returns
    client = stack.enter_context(httpx2.Client(transport=httpx2.MockTransport(answer)))
    return Contender("vcrpy, recording", client, around=lambda: vcr.use_cassette("bench"))


def opentelemetry_httpx(stack: ExitStack, folder: Path) -> Contender:
    instrumentation = import_module("opentelemetry.instrumentation.httpx")
    transport = instrumentation.SyncOpenTelemetryTransportHttpx2(Memory(), tracer_provider=tracer_provider())
    return Contender("opentelemetry-httpx", stack.enter_context(httpx2.Client(transport=transport)))


def hishel(stack: ExitStack, folder: Path) -> Contender:
    cache = import_module("hishel.httpx2")
    storage = import_module("hishel").SqliteStorage(database_path=folder / "hishel.db")
    keys = map(str, itertools.count())
    client = stack.enter_context(httpx2.Client(transport=cache.CacheTransport(Memory(), storage=storage)))
    # it stores no POST, and with a key of its own each call is a miss that gets stored
    return Contender("hishel, storing GETs", client, "GET", lambda: {"caching": {"key": next(keys)}})


def recorder_without_store(stack: ExitStack, folder: Path) -> Contender:
    """What the transport costs by itself, to tell what the journal adds."""
    recording = import_module("recorder.recording").Recording(import_module("recorder.settings").Settings())
    client = stack.enter_context(httpx2.Client(transport=Memory()))
    import_module("recorder.adapters").wrap_clients(client, recording)
    return Contender("recorder: no store", client)


def recorder_in_memory(stack: ExitStack, folder: Path) -> Contender:
    return recording("recorder: record, no journal, no SDK", stack, folder / "memory.db", journal=False)


def recorder_in_memory_with_spans(stack: ExitStack, folder: Path) -> Contender:
    name = "recorder: record and span, no journal"
    return recording(name, stack, folder / "both.db", journal=False, tracer_provider=tracer_provider())


ENTRANTS = (
    bare,
    recorder_without_store,
    recorder_in_memory,
    recorder_in_memory_with_spans,
    recorder_with_spans,
    recorder_alone,
    vcrpy,
    opentelemetry_httpx,
    hishel,
)


def enter_all(stack: ExitStack, folder: Path) -> list[Contender]:
    """All contenders; those that are not installed without a client."""
    contenders = []
    for enter in ENTRANTS:
        try:
            contenders.append(enter(stack, folder))
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("recorder"):
                raise
            contenders.append(Contender(enter.__name__.replace("_", "-")))
    return contenders


def time_call(contender: Contender, client: httpx2.Client) -> int:
    extensions = contender.extensions()
    started = time.perf_counter_ns()
    client.request(contender.method, URL, content=CALL_BODY, headers=HEADERS, extensions=extensions)
    return time.perf_counter_ns() - started


turns = itertools.count()


def time_conversation(contender: Contender, client: httpx2.Client) -> int:
    """A call that sends its history of 40 KB again, with one new message."""
    message = dump({"role": "user", "content": f"Turn {next(turns)}, and what of it?"})
    body = b'{"model":"deepseek-chat","messages":[' + HISTORY + b"," + message + b"]}"
    extensions = contender.extensions()
    started = time.perf_counter_ns()
    client.request(contender.method, URL, content=body, headers=HEADERS, extensions=extensions)
    return time.perf_counter_ns() - started


def time_stream(contender: Contender, client: httpx2.Client) -> Marks:
    extensions = contender.extensions()
    started = time.perf_counter_ns()
    with client.stream(
        contender.method, URL, content=STREAM_BODY, headers=HEADERS, extensions=extensions
    ) as response:
        chunks = response.iter_raw()
        next(chunks)
        first = time.perf_counter_ns()
        deque(itertools.islice(chunks, CHUNKS - 1), maxlen=0)
        last = time.perf_counter_ns()
        deque(chunks, maxlen=0)
    return started, first, last, time.perf_counter_ns()


def count_chunks(contender: Contender, client: httpx2.Client) -> int:
    with client.stream(
        contender.method, URL, content=STREAM_BODY, headers=HEADERS, extensions=contender.extensions()
    ) as response:
        return sum(1 for _ in response.iter_raw())


def take_turn(contender: Contender, samples: Samples) -> None:
    if contender.client is None:
        return
    with contender.around():
        samples.chunks = samples.chunks or count_chunks(contender, contender.client)
        samples.calls += [time_call(contender, contender.client) for _ in range(CALLS_A_ROUND)]
        samples.conversations += [
            time_conversation(contender, contender.client) for _ in range(CALLS_A_ROUND)
        ]
        contender.settle()
        for _ in range(STREAMS_A_ROUND):
            for _ in range(WARMING_CALLS):
                time_call(contender, contender.client)
            samples.streams.append(time_stream(contender, contender.client))
            contender.settle()


def measure() -> list[Row]:
    """Run all rounds; the first one warms up and does not count."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        contenders = enter_all(stack, folder)
        for contender in contenders:
            take_turn(contender, Samples())
        gc.collect()
        gc.freeze()
        results = [Samples() for _ in contenders]
        for number in range(ROUNDS):
            order = list(range(len(contenders)))
            for index in order[number % len(order) :] + order[: number % len(order)]:
                gc.collect()
                take_turn(contenders[index], results[index])
        return [summarise(*pair) for pair in zip(contenders, results, strict=True)]


def summarise(contender: Contender, samples: Samples) -> Row:
    if not samples.calls:
        return Row(contender.name)
    chunk_us = None
    if samples.chunks == CHUNKS:
        chunk_us = median_us(last - first for _, first, last, _ in samples.streams) / (CHUNKS - 1)
    return Row(
        contender.name,
        call_us=median_us(samples.calls),
        call_p99_us=statistics.quantiles(samples.calls, n=100)[-1] / 1000,
        conversation_us=median_us(samples.conversations),
        first_chunk_us=median_us(first - started for started, first, _, _ in samples.streams),
        chunk_us=chunk_us,
        chunk_to_end_us=median_us(end - started for started, _, _, end in samples.streams) / CHUNKS,
    )


def median_us(nanoseconds: Iterable[int]) -> float:
    return statistics.median(nanoseconds) / 1000


def time_import(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - started) * 1000


def measure_imports() -> dict[str, float]:
    """Medians in milliseconds of a fresh interpreter, bare and with recorder, taken in turns."""
    pairs = [(time_import("pass"), time_import("import recorder")) for _ in range(IMPORTS)]
    bare_ms, recorder_ms = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {"bare_ms": bare_ms, "recorder_ms": recorder_ms, "above_ms": recorder_ms - bare_ms}


COLUMNS = {
    "call_us": "Small call: 1 KB out, 1 KB back (µs a call)",
    "call_p99_us": "Small call: the slowest of a hundred, while records are being stored (µs a call)",
    "conversation_us": "Conversation: 40 KB out, of which one message is new (µs a call)",
    "first_chunk_us": f"Stream of {CHUNKS} chunks: until the first (µs)",
    "chunk_us": f"Stream of {CHUNKS} chunks: while it streams (µs a chunk)",
    "chunk_to_end_us": f"Stream of {CHUNKS} chunks: start to end (µs a chunk)",
}


def table(rows: list[Row], name: str) -> Table:
    shown = Table(title=COLUMNS[name], title_justify="left")
    shown.add_column("client")
    for column in ("µs", "above bare", "factor"):
        shown.add_column(column, justify="right")
    digits = 2 if name.startswith("chunk") else 0
    bare_us = getattr(rows[0], name)
    for row in rows:
        value = getattr(row, name)
        if row.call_us is None:
            shown.add_row(row.name, "not installed", "", "")
        elif value is None:
            shown.add_row(row.name, "one chunk", "", "")
        else:
            above = f"{value - bare_us:+.{digits}f}" if row is not rows[0] else ""
            shown.add_row(row.name, f"{value:.{digits}f}", above, f"{value / bare_us:.2f}")
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--format", choices=("table", "json"), default="table")
    as_json = parser.parse_args().format == "json"
    rows, imports = measure(), measure_imports()
    if as_json:
        print(json.dumps({"clients": [asdict(row) for row in rows], "import": imports}, indent=2))
        return
    console = Console()
    for name in COLUMNS:
        console.print(table(rows, name))
    above_ms, bare_ms = imports["above_ms"], imports["bare_ms"]
    console.print(f"import recorder: {above_ms:.1f} ms above a bare interpreter's {bare_ms:.1f} ms")


if __name__ == "__main__":
    main()
