"""One call each way beside another tracer: `python beside_tracing.py NAME`; prints what is wrong, and fails for it.

Whatever is active, each call has one span of a model call, its tokens are counted once, and the row in the store
names the trace in which that span is.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import openai
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import recorder
from recorder.ledger import Store

USAGE = {"prompt_tokens": 10, "completion_tokens": 8, "total_tokens": 18}
INFERENCES = ("chat", "text_completion", "generate_content")
MESSAGES = [{"role": "user", "content": "Hi"}]

exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
tracers, meters = TracerProvider(), MeterProvider([reader])
tracers.add_span_processor(SimpleSpanProcessor(exporter))


def switch(path: str, **more: Any) -> Callable[[], Any]:
    """Something with an `instrument` method, by module and class."""
    module, _, name = path.partition(":")
    return lambda: getattr(importlib.import_module(module), name)().instrument(
        tracer_provider=tracers, **more
    )


def logfire() -> None:
    logfire = importlib.import_module("logfire")
    logfire.configure(
        send_to_logfire=False, console=False, additional_span_processors=[SimpleSpanProcessor(exporter)]
    )
    logfire.instrument_openai()


def nobody() -> None:
    pass


TRACERS: dict[str, Callable[[], Any]] = {
    "nobody": nobody,
    "httpx": switch("opentelemetry.instrumentation.httpx:HTTPX2ClientInstrumentor"),
    "genai-openai": switch(
        "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor", meter_provider=meters
    ),
    "openllmetry": switch("opentelemetry.instrumentation.openai:OpenAIInstrumentor", meter_provider=meters),
    "openinference": switch("openinference.instrumentation.openai:OpenAIInstrumentor"),
    "logfire": logfire,
    "anthropic": nobody,
    "distro": nobody,
}


class Upstream:
    """Answers chat completions and messages; the first request of a call is refused where it asks for that."""

    def __init__(self) -> None:
        self.refused = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        asked = json.loads(request.content)
        if asked.get("user") == "again" and request.headers["x-stainless-retry-count"] == "0":
            return httpx2.Response(500, json={"error": {"message": "again"}})
        if request.url.path.endswith("/messages"):
            return httpx2.Response(200, json=message())
        if not asked.get("stream"):
            return httpx2.Response(200, json=completion())
        body = b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks())
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, content=body + b"data: [DONE]\n\n")


def completion() -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
    head = {"id": "c-1", "object": "chat.completion", "created": 1, "model": "gpt-5-2026"}
    return {**head, "choices": [choice], "usage": USAGE}


def chunks() -> Iterator[dict[str, Any]]:
    head = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5-2026"}
    for text, reason in (("Hel", None), ("lo", None), ("", "stop")):
        yield {**head, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}]}
    yield {**head, "choices": [], "usage": USAGE}


def message() -> dict[str, Any]:
    return {
        "id": "m-1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "output_tokens": 8},
    }


def ask(rec: recorder.Recorder, kind: str) -> None:
    http = httpx2.Client(transport=httpx2.MockTransport(Upstream()))
    if kind == "anthropic":
        client = importlib.import_module("anthropic").Anthropic(api_key="k", http_client=http)
        rec.wrap(client).messages.create(model="claude", max_tokens=5, messages=MESSAGES)
        return
    if kind == "async":
        asyncio.run(ask_async(rec))
        return
    client = rec.wrap(
        openai.OpenAI(api_key="k", base_url="https://api.openai.com/v1", http_client=http, max_retries=1)
    )
    create: Any = client.chat.completions.create
    if kind == "stream":
        options = {"stream": True, "stream_options": {"include_usage": True}}
        assert len(list(create(model="gpt-5", messages=MESSAGES, **options))) == 4
    else:
        assert create(model="gpt-5", messages=MESSAGES, user=kind).choices


async def ask_async(rec: recorder.Recorder) -> None:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(Upstream()))
    client = rec.wrap(openai.AsyncOpenAI(api_key="k", base_url="https://api.openai.com/v1", http_client=http))
    create: Any = client.chat.completions.create
    options = {"stream": True, "stream_options": {"include_usage": True}}
    stream = await create(model="gpt-5", messages=MESSAGES, **options)
    assert len([chunk async for chunk in stream]) == 4


def is_model_span(span: Any) -> bool:
    attributes = span.attributes or {}
    return (
        attributes.get("gen_ai.operation.name") in INFERENCES
        or attributes.get("openinference.span.kind") == "LLM"
        or ("gen_ai.request.model" in attributes and attributes.get("logfire.span_type") == "span")
    )


def scope_of(span: Any) -> str:
    return str(span.instrumentation_scope.name)


def is_logfire(span: Any) -> bool:
    """It makes a second span of its own for a stream, without tokens in the first."""
    return "logfire.span_type" in (span.attributes or {})


def counted() -> int:
    """The input tokens in all metrics so far."""
    data: Any = reader.get_metrics_data()
    return sum(
        point.sum
        for resource in (data.resource_metrics if data is not None else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name in ("gen_ai.client.token.usage", "llm.openai.chat_completions.tokens")
        for point in metric.data.data_points
        if point.attributes.get("gen_ai.token.type", point.attributes.get("llm.usage.token_type"))
        in ("input", "prompt")
    )


def problems(kind: str, rec: recorder.Recorder, ours: bool) -> Iterator[str]:
    exporter.clear()
    counted_before = counted()
    with recorder.tags(kind=kind):
        ask(rec, kind)
    assert rec.flush()
    spans = [span for span in exporter.get_finished_spans() if is_model_span(span)]
    attempts = 2 if kind == "again" else 1
    rows = Store(rec.store).calls(tags={"kind": kind})
    if not ours and any(scope_of(span) == "recorder" for span in spans):
        yield "a span of recorder's beside another tracer's"
    if len(spans) != (attempts if ours else 1) and not all(map(is_logfire, spans)):
        yield f"{len(spans)} spans of model calls: {[span.name for span in spans]}"
    if len(rows) != attempts:
        yield f"{len(rows)} rows for {attempts} attempts"
    tokens = sum(told(span) for span in spans)
    if tokens != USAGE["prompt_tokens"]:
        yield f"spans tell of {tokens} input tokens"
    if counted() - counted_before not in (0, USAGE["prompt_tokens"]):
        yield f"metrics count {counted() - counted_before} input tokens"
    traces = {f"{span.context.trace_id:032x}" for span in spans}
    if not {row["trace_id"] for row in rows} <= traces:
        yield "rows name other traces than the spans"


def told(span: Any) -> int:
    attributes = span.attributes or {}
    return int(attributes.get("gen_ai.usage.input_tokens", attributes.get("llm.token_count.prompt", 0)))


def zero_code() -> int:
    """Under `opentelemetry-instrument`, which has set a provider up: spans of calls by a client nobody wrapped."""
    provider: Any = trace.get_tracer_provider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    http = httpx2.Client(transport=httpx2.MockTransport(Upstream()))
    client = openai.OpenAI(api_key="k", base_url="https://api.openai.com/v1", http_client=http)
    client.chat.completions.create(model="gpt-5", messages=MESSAGES)  # type: ignore[arg-type]
    found = [span.name for span in exporter.get_finished_spans() if is_model_span(span)]
    print(f"distro: {found}")
    return found != ["chat gpt-5"]


def main(name: str) -> int:
    if name == "distro":
        return zero_code()
    if name != "logfire":
        trace.set_tracer_provider(tracers)
        metrics.set_meter_provider(meters)
    TRACERS[name]()
    failed, seen = 0, set()
    with tempfile.TemporaryDirectory() as folder:
        options: Any = {"record_paths": ["/v1/messages"]}
        with recorder.Recorder(f"sqlite:///{folder}/calls.db", strict=True, **options) as rec:
            for kind in ("anthropic",) if name == "anthropic" else ("plain", "stream", "again", "async"):
                for problem in problems(kind, rec, ours=name in ("nobody", "httpx")):
                    failed += 1
                    print(f"{name}, {kind}: {problem}")
                seen |= {span.name for span in exporter.get_finished_spans()}
    print(f"{name}: {json.dumps(sorted(seen))}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
