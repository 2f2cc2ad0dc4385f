"""Measure what spans add to a call on its caller's thread; `make bench` runs it, in some seconds.

What is timed is all that telemetry does for one small call: it starts the span, makes it current, leaves it, glances at
the answer and ends it; the same with a processor that looks at the attributes, which are read then, and with the SDK's
metrics, which look at the start; without an SDK, what of that is left. Beside them stands a bare span of the SDK with
the same attributes. The contenders take turns in short rounds of processor
time; shown are the best and the median round, since a busy machine disturbs the latter.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind
from rich.console import Console
from rich.table import Table

from recorder.attempt import Attempt
from recorder.ended import Ended
from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.guard import Guard
from recorder.recording import Recording
from recorder.settings import Settings
from recorder.tagging import NO_TAGS
from recorder.telemetry import Telemetry, TelemetrySettings, leave

ROUNDS = 200
CALLS_A_ROUND = 50
URL = "https://api.openai.com/v1/chat/completions"
BODY: dict[str, Any] = {
    "model": "gpt-5",
    "messages": [{"role": "user", "content": "Why is the sky blue?"}],
    "temperature": 0.7,
    "top_p": 0.9,
    "max_completion_tokens": 500,
    "seed": 7,
    "service_tier": "flex",
    "user": "u-1",
}
DETAILS = {
    "prompt_tokens_details": {"cached_tokens": 64},
    "completion_tokens_details": {"reasoning_tokens": 12},
}
ANSWER: dict[str, Any] = {
    "id": "chatcmpl-1",
    "model": "gpt-5-2026-01-01",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Rayleigh."}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 250, "completion_tokens": 180, **DETAILS},
    "system_fingerprint": "fp_1",
    "service_tier": "default",
}
BOUNDS_US = {"recording span": 35.0, "no SDK": 2.0}


class Looking(SpanProcessor):
    """Looks at the attributes of each span that ends, as one that exports at once does."""

    def on_end(self, span: Any) -> None:
        dict(span.attributes)


def whole_span(provider: TracerProvider | None, meters: MeterProvider | None = None) -> Callable[[], None]:
    """All that telemetry does for one call."""
    recording = Recording(
        Settings(store="bench"),
        (lambda ended: None,),
        lambda redactor: Telemetry(
            redactor, TelemetrySettings(tracer_provider=provider, meter_provider=meters)
        ),
    )
    route = recording.route("POST", URL)
    assert route is not None
    request = Request("POST", URL, (), json.dumps(BODY).encode())
    head = ResponseHead(200, ((b"content-type", b"application/json"),))
    body = json.dumps(ANSWER).encode()
    exchange = Exchange(request, 1_760_000_000_000_000, Ending("complete", 5), head, (body,), (3,))
    telemetry, redactor, guard = recording._telemetry, recording._redactor, Guard()
    assert telemetry is not None
    operation = 2**100
    dialect, name = route

    def call() -> None:
        if not telemetry.heard():
            return
        attempt = Attempt(dialect, name, None, NO_TAGS, 1, operation)
        started = telemetry.start_unread(dialect, name, request, exchange.started_us, NO_TAGS, operation)
        if started is None:
            half = attempt.half = dialect.read_request(request, name)
            started = telemetry.start(half, exchange.started_us, NO_TAGS, operation)
        traced, _, _ = started
        if traced is not None:
            leave(traced.enter())
            ended = Ended(attempt, exchange, redactor, guard, lambda url: route.provider)
            telemetry.end(traced, route.provider, ended, False)

    return call


def bare_span(provider: TracerProvider) -> Callable[[], None]:
    """A span of the SDK's with the same attributes, half of them at its start."""
    kept: list[Any] = []

    class Keeping(SpanProcessor):
        def on_end(self, span: Any) -> None:
            kept.append(span)

    watched = TracerProvider(shutdown_on_exit=False)
    watched.add_span_processor(Keeping())
    whole_span(watched)()
    attributes = list((kept[0].attributes or {}).items())
    first, last = dict(attributes[: len(attributes) // 2]), dict(attributes[len(attributes) // 2 :])
    tracer = provider.get_tracer("bench")

    def call() -> None:
        span = tracer.start_span("chat gpt-5", kind=SpanKind.CLIENT, attributes=first, start_time=1)
        span.set_attributes(last)
        span.end(5)

    return call


def measure() -> dict[str, tuple[float, float]]:
    """The best and the median round of each, in microseconds a call."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SpanProcessor())
    looked_at = TracerProvider(shutdown_on_exit=False)
    looked_at.add_span_processor(Looking())
    contenders = {
        "bare SDK span": bare_span(provider),
        "recording span": whole_span(provider),
        "recording span, looked at": whole_span(looked_at),
        "span and metrics": whole_span(
            provider, MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)
        ),
        "no SDK": whole_span(None),
    }
    rounds: dict[str, list[float]] = {name: [] for name in contenders}
    gc.collect()
    gc.freeze()
    for _ in range(ROUNDS):
        for name, call in contenders.items():
            started = time.thread_time_ns()
            for _ in range(CALLS_A_ROUND):
                call()
            rounds[name].append((time.thread_time_ns() - started) / CALLS_A_ROUND / 1000)
    return {name: (min(times), statistics.median(times)) for name, times in rounds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--format", choices=("table", "json"), default="table")
    as_json = parser.parse_args().format == "json"
    measured = measure()
    if as_json:
        print(
            json.dumps(
                {name: {"best_us": best, "median_us": median} for name, (best, median) in measured.items()}
            )
        )
        return
    table = Table(title="Telemetry of a small call, on its caller's thread (µs a call)", title_justify="left")
    table.add_column("")
    for column in ("best", "median", "bound"):
        table.add_column(column, justify="right")
    for name, (best, median) in measured.items():
        bound = BOUNDS_US.get(name)
        table.add_row(name, f"{best:.1f}", f"{median:.1f}", "" if bound is None else f"{bound:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
