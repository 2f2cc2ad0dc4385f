"""OpenTelemetry in memory: what was exported, in plain values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from recorder.recorder import Recorder

from .drivers import Driver, Reply, Seen


@dataclass(frozen=True)
class Point:
    """One data point of a metric: its attributes, how many records it sums, and their sum."""

    attributes: dict[str, Any]
    count: int
    sum: float
    bounds: tuple[float, ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class Event:
    """One log event."""

    name: str
    attributes: dict[str, Any]
    severity: int | None
    span_id: int | None


@dataclass(frozen=True)
class Otel:
    """Providers that keep everything; `options` are those of a Recorder."""

    spans_out: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    logs_out: InMemoryLogRecordExporter = field(default_factory=InMemoryLogRecordExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)
    tracers: TracerProvider = field(default_factory=lambda: TracerProvider(shutdown_on_exit=False))
    loggers: LoggerProvider = field(default_factory=lambda: LoggerProvider(shutdown_on_exit=False))
    meters: list[MeterProvider] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans_out))
        self.loggers.add_log_record_processor(SimpleLogRecordProcessor(self.logs_out))
        self.meters.append(MeterProvider([self.reader], shutdown_on_exit=False))

    @property
    def options(self) -> dict[str, Any]:
        return {
            "tracer_provider": self.tracers,
            "meter_provider": self.meters[0],
            "logger_provider": self.loggers,
        }

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.spans_out.get_finished_spans())

    @property
    def span(self) -> ReadableSpan:
        (span,) = self.spans
        return span

    @property
    def attributes(self) -> dict[str, Any]:
        """Those of the only span."""
        return dict(self.span.attributes or {})

    def content(self, name: str) -> Any:
        """What the only span says of `input.messages` and the like."""
        return json.loads(self.attributes[f"gen_ai.{name}"])

    def events(self, name: str | None = None) -> list[Event]:
        found = [
            Event(
                record.event_name or "",
                dict(record.attributes or {}),
                None if record.severity_number is None else record.severity_number.value,
                record.span_id,
            )
            for record in (each.log_record for each in self.logs_out.get_finished_logs())
        ]
        return [event for event in found if name in (None, event.name)]

    def metrics(self) -> dict[str, list[Point]]:
        """All data points by the metric's name; asking again gives the same sums."""
        data = self.reader.get_metrics_data()
        found: dict[str, list[Point]] = {}
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    found[metric.name] = [
                        _point(point, metric.unit or "") for point in metric.data.data_points
                    ]
        return found


def _point(point: Any, unit: str) -> Point:
    attributes = dict(point.attributes)
    if hasattr(point, "bucket_counts"):
        return Point(attributes, point.count, point.sum, tuple(point.explicit_bounds), unit)
    return Point(attributes, 1, point.value, (), unit)


@contextmanager
def recording(kept: Otel, folder: Path, /, **options: Any) -> Iterator[Recorder]:
    """A recorder whose spans, metrics and events are kept in memory."""
    with Recorder(f"sqlite:///{folder}/calls.db", strict=True, **{**kept.options, **options}) as rec:
        yield rec


def ask(
    rec: Recorder,
    reply: Reply | Sequence[Reply],
    body: dict[str, Any] | None = None,
    *,
    url: str = "https://api.openai.com/v1/chat/completions",
    headers: dict[str, str] | None = None,
) -> list[Seen]:
    """Post a body once for each reply through a wrapped httpx2 client; what its caller saw."""
    driver = Driver("httpx2", asynchronous=False)
    replies = [reply] if isinstance(reply, Reply) else list(reply)
    client = rec.wrap(driver.client(driver.wire(*replies)))
    content = json.dumps({"model": "gpt-5", "messages": [], **(body or {})}).encode()

    async def scenario() -> list[Seen]:
        return [await driver.observe(client, content, url=url, headers=headers) for _ in replies]

    seen: list[Seen] = driver.run(scenario)
    assert rec.flush(60)
    return seen


def completion(message: dict[str, Any] | None = None, **more: Any) -> Reply:
    """A whole answer with one choice."""
    choice: dict[str, Any] = {"index": 0, "message": message or {"role": "assistant", "content": "Hello"}}
    answer = {
        "id": "c-1",
        "model": "gpt-5-2026",
        "choices": [{**choice, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 8},
        **more,
    }
    return Reply(chunks=[json.dumps(answer).encode()])


def streamed(*texts: str, usage: dict[str, Any] | None = None) -> Reply:
    """A streamed answer, an event a chunk."""
    head = {"id": "c-1", "model": "gpt-5-2026"}
    events: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": {"content": text}}]} for text in texts
    ]
    end: dict[str, Any] = {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    events += [{**end, "usage": usage} if usage else end]
    chunks = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]
    return Reply(headers=(("content-type", "text/event-stream"),), chunks=[*chunks, b"data: [DONE]\n\n"])
