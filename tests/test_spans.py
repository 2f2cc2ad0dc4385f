"""Spans: what is there at the start, what comes at the end, and how errors look."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, StatusCode
from opentelemetry.trace.span import TraceState

import recorder
from recorder.ledger import Store

from .drivers import Driver, Reply
from .test_transport import STREAM, STREAM_HEADERS

OPENAI = "https://api.openai.com/v1/chat/completions"
ASKED = {
    "model": "gpt-5",
    "messages": [{"role": "user", "content": "Hi"}],
    "temperature": 1,
    "top_p": 0.5,
    "top_k": 40,
    "max_completion_tokens": 100,
    "max_tokens": 50,
    "stop": "END",
    "seed": 7,
    "n": 2,
    "frequency_penalty": 0.1,
    "presence_penalty": 0,
    "reasoning_effort": "low",
    "response_format": {"type": "json_schema"},
    "service_tier": "flex",
}
ANSWERED = {
    "id": "c-1",
    "model": "gpt-5-2026",
    "choices": [
        {"index": i, "message": {"content": "Hello"}, "finish_reason": ["stop", None][i]} for i in range(2)
    ],
    "system_fingerprint": "fp",
    "service_tier": "default",
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 8,
        "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 3},
    },
}
TOLD = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5",
    "server.address": "api.openai.com",
    "server.port": 443,
    "gen_ai.request.temperature": 1.0,
    "gen_ai.request.top_p": 0.5,
    "gen_ai.request.top_k": 40,
    "gen_ai.request.max_tokens": 100,
    "gen_ai.request.stop_sequences": ("END",),
    "gen_ai.request.seed": 7,
    "gen_ai.request.choice.count": 2,
    "gen_ai.request.frequency_penalty": 0.1,
    "gen_ai.request.presence_penalty": 0.0,
    "gen_ai.request.reasoning.level": "low",
    "gen_ai.output.type": "json",
    "openai.request.service_tier": "flex",
    "openai.api.type": "chat_completions",
    "http.response.status_code": 200,
    "gen_ai.response.id": "c-1",
    "gen_ai.response.model": "gpt-5-2026",
    "gen_ai.response.finish_reasons": ("stop", "error"),
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 8,
    "gen_ai.usage.cache_read.input_tokens": 0,
    "gen_ai.usage.cache_creation.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 3,
    "openai.response.system_fingerprint": "fp",
    "openai.response.service_tier": "default",
}


def span_of(
    driver: Driver,
    rec: recorder.Recorder,
    spans: InMemorySpanExporter,
    body: dict[str, Any],
    reply: Reply,
    url: str = OPENAI,
) -> ReadableSpan:
    async def scenario() -> None:
        await driver.observe(rec.wrap(driver.client(driver.wire(reply))), json.dumps(body).encode(), url=url)

    driver.run(scenario)
    (span,) = spans.get_finished_spans()
    return span


def operation_of(rec: recorder.Recorder) -> str:
    """The operation id in the only row."""
    assert rec.flush()
    (row,) = Store(rec.store).calls()
    return str(row["operation_id"])


def test_span_has_what_the_call_has(
    driver: Driver, rec: recorder.Recorder, spans: InMemorySpanExporter
) -> None:
    span = span_of(driver, rec, spans, ASKED, Reply(chunks=[json.dumps(ANSWERED).encode()]))
    assert (span.name, span.kind, span.status.status_code) == (
        "chat gpt-5",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    attributes = dict(span.attributes or {})
    assert attributes.pop("recorder.operation_id") == operation_of(rec)
    assert attributes == TOLD
    assert span.events == ()


def test_stream_span_ends_with_the_stream_and_has_its_first_chunk(
    driver: Driver, rec: recorder.Recorder, spans: InMemorySpanExporter, records: Any
) -> None:
    span = span_of(
        driver, rec, spans, {"model": "m", "stream": True}, Reply(headers=STREAM_HEADERS, chunks=STREAM)
    )
    attributes = span.attributes or {}
    ((exchange, _),) = records
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.response.time_to_first_chunk"] == exchange.arrivals_ns[0] / 1e9
    assert (span.end_time or 0) - (span.start_time or 0) == exchange.ending.at_ns


@pytest.mark.parametrize(
    ("reply", "error_type", "message"),
    [
        (
            Reply(status=429, chunks=[b'{"error":{"code":"rate_limited","message":"slow"}}']),
            "rate_limited",
            "slow",
        ),
        (Reply(status=503, chunks=[b"no"]), "503", "no"),
        (Reply(chunks=[b'{"error":{"message":"bad","type":"server_error"}}']), "server_error", "bad"),
        (
            Reply(headers=STREAM_HEADERS, chunks=[b'data: {"error":{"message":"x","code":502}}\n\n']),
            "502",
            "x",
        ),
    ],
)
def test_error_is_on_the_span_without_an_event(
    driver: Driver,
    rec: recorder.Recorder,
    spans: InMemorySpanExporter,
    reply: Reply,
    error_type: str,
    message: str,
) -> None:
    span = span_of(driver, rec, spans, {"model": "m"}, reply)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, message)
    assert (span.attributes or {})["error.type"] == error_type
    assert span.events == ()


def test_span_is_a_child_of_the_callers_and_row_and_span_share_ids(
    driver: Driver, rec: recorder.Recorder, spans: InMemorySpanExporter, provider: TracerProvider
) -> None:
    tracer = provider.get_tracer("test")
    with (
        tracer.start_as_current_span("outer") as outer,
        recorder.tags(session_id="s-1", user_id=7, feature="search"),
    ):
        span = span_of(driver, rec, spans, {"model": "m"}, Reply())
    assert span.parent is not None
    assert span.parent.span_id == outer.get_span_context().span_id
    attributes = span.attributes or {}
    assert (attributes["session.id"], attributes["user.id"], attributes["recorder.tag.feature"]) == (
        "s-1",
        "7",
        "search",
    )
    assert rec.flush()
    (row,) = Store(rec.store).calls()
    assert (row["trace_id"], row["span_id"]) == (
        f"{span.context.trace_id:032x}",
        f"{span.context.span_id:016x}",
    )
    assert (row["session_id"], row["user_id"], json.loads(row["tags"])) == ("s-1", "7", {"feature": "search"})


def test_sampler_sees_the_request_and_a_dropped_span_costs_no_row(tmp_path: Path) -> None:
    seen: list[Any] = []

    class Dropping(Sampler):
        def should_sample(
            self,
            parent_context: Context | None,
            trace_id: int,
            name: str,
            kind: SpanKind | None = None,
            attributes: Any = None,
            links: Sequence[Link] | None = None,
            trace_state: TraceState | None = None,
        ) -> SamplingResult:
            seen.append(dict(attributes))
            return SamplingResult(Decision.DROP)

        def get_description(self) -> str:
            return "Dropping"

    driver = Driver("httpx2", asynchronous=False)
    provider = TracerProvider(sampler=Dropping())
    with recorder.Recorder(f"sqlite:///{tmp_path}/calls.db", tracer_provider=provider, strict=True) as rec:
        client = rec.wrap(driver.client(driver.wire(Reply())))
        client.post(OPENAI, json={"model": "m", "temperature": 0.5})
        assert rec.flush()
        assert len(Store(rec.store).calls()) == 1
    assert seen[0]["gen_ai.request.temperature"] == 0.5
    assert {
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "server.address",
        "server.port",
    } <= set(seen[0])


def test_without_an_sdk_the_callers_trace_is_still_in_the_row(tmp_path: Path) -> None:
    context = trace.SpanContext(0xABC, 0xDEF, is_remote=True)
    driver = Driver("httpx2", asynchronous=False)
    with recorder.Recorder(f"sqlite:///{tmp_path}/calls.db", strict=True) as rec:
        client = rec.wrap(driver.client(driver.wire(Reply())))
        with trace.use_span(trace.NonRecordingSpan(context)):
            client.post(OPENAI, json={"model": "m"})
        assert rec.flush()
        (row,) = Store(rec.store).calls()
    assert row["trace_id"] == f"{0xABC:032x}"


def test_no_secret_reaches_a_span_though_the_answer_is_cleaned_later(
    driver: Driver, rec: recorder.Recorder, spans: InMemorySpanExporter
) -> None:
    secret = "sk-proj-Ab3dEf6hIj9kLm2nOp5q"
    body = json.dumps({"model": f"m-{secret}", "messages": [], "stop": [f"key {secret}"]}).encode()
    answer = json.dumps({"id": f"c {secret}", "error": {"code": 7, "message": f"no {secret}"}}).encode()
    client = rec.wrap(driver.client(driver.wire(Reply(chunks=[answer]))))
    driver.run(lambda: driver.observe(client, body))
    (span,) = spans.get_finished_spans()
    assert secret not in span.to_json()
    assert span.status.description == "no REDACTED"
    assert span.attributes is not None
    assert span.attributes["gen_ai.request.stop_sequences"] == ("key REDACTED",)
