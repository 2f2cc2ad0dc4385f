"""Beside other instrumentations: one span a call, theirs; and what it gets from here, in time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Span

from recorder.ledger import Store

from .drivers import Driver, Reply
from .otel import Otel, ask, completion, recording, streamed

LLM = {"openinference.span.kind": "LLM"}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}
USAGE = {"prompt_tokens": 10, "completion_tokens": 8, "prompt_tokens_details": {"cache_write_tokens": 4}}


@contextmanager
def inside(
    otel: Otel, attributes: dict[str, Any] | None = None, values: dict[str, Any] | None = None
) -> Iterator[Span]:
    """Within another's span, with values in the context."""
    context = otel_context.get_current()
    for key, value in (values or {}).items():
        context = otel_context.set_value(key, value, context)
    token = otel_context.attach(context)
    try:
        tracer = otel.tracers.get_tracer("theirs")
        with tracer.start_as_current_span("theirs", attributes=attributes or {}) as span:
            yield span
    finally:
        otel_context.detach(token)


@pytest.mark.parametrize("attributes", [LLM, CHAT], ids=["openinference", "gen_ai"])
def test_call_in_a_span_that_is_one_already_makes_it_richer(
    otel: Otel, tmp_path: Path, attributes: dict[str, Any]
) -> None:
    with recording(otel, tmp_path) as rec, inside(otel, attributes) as theirs:
        ask(rec, completion(usage=USAGE), {"temperature": 0.5})
        ids = theirs.get_span_context()
        (row,) = Store(rec.store).calls()
    told = otel.attributes
    assert otel.span.name == "theirs"
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.request.temperature"]) == (10, 0.5)
    assert told["gen_ai.response.finish_reasons"] == ("stop",)
    assert otel.metrics() == {}
    assert (row["trace_id"], row["span_id"]) == (f"{ids.trace_id:032x}", f"{ids.span_id:016x}")


def test_host_of_a_call_that_nobody_here_can_read_is_no_parent(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path, record_paths=["/messages"]) as rec, inside(otel, LLM):
        ask(rec, completion(), url="https://api.anthropic.com/v1/messages")
    assert otel.attributes["gen_ai.provider.name"] == "anthropic"
    assert "gen_ai.operation.name" not in otel.attributes


def test_host_s_own_words_stay(otel: Otel, tmp_path: Path) -> None:
    own = {**CHAT, "gen_ai.provider.name": "acme", "gen_ai.usage.cache_write.input_tokens": 3}
    with recording(otel, tmp_path) as rec, inside(otel, own):
        ask(rec, completion(usage=USAGE))
    assert otel.attributes["gen_ai.provider.name"] == "acme"
    assert otel.attributes["gen_ai.usage.cache_write.input_tokens"] == 3
    assert "gen_ai.usage.cache_creation.input_tokens" not in otel.attributes


def test_failed_attempt_does_not_mark_a_host_that_may_try_again(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path) as rec, inside(otel, CHAT):
        ask(
            rec,
            Reply(status=429, chunks=[b'{"error":{"code":"slow"}}']),
            headers={"x-stainless-retry-count": "0"},
        )
        ask(rec, completion(), headers={"x-stainless-retry-count": "1"})
    told = otel.attributes
    assert "error.type" not in told
    assert (told["http.response.status_code"], told["http.request.resend_count"]) == (200, 1)


@pytest.mark.parametrize(
    "attributes", [{"gen_ai.operation.name": "invoke_agent"}, {"openinference.span.kind": "CHAIN"}]
)
def test_agents_and_chains_are_parents(otel: Otel, tmp_path: Path, attributes: dict[str, Any]) -> None:
    with recording(otel, tmp_path) as rec, inside(otel, attributes) as theirs:
        ask(rec, completion())
    ours = next(span for span in otel.spans if span.name == "chat gpt-5")
    assert ours.parent is not None
    assert ours.parent.span_id == theirs.get_span_context().span_id


@pytest.mark.parametrize(
    "key",
    [
        otel_context._SUPPRESS_INSTRUMENTATION_KEY,
        "suppress_instrumentation",
        "suppress_language_model_instrumentation",
    ],
    ids=["api", "plain", "openllmetry"],  # the API's own key has a random end
)
def test_suppressed_calls_are_silent_but_stored(otel: Otel, tmp_path: Path, key: str) -> None:
    with recording(otel, tmp_path, content=True) as rec, inside(otel, values={key: True}):
        ask(rec, [completion(), Reply(error=OSError())])
        assert len(Store(rec.store).calls()) == 2
    assert (otel.span.name, otel.metrics(), otel.events()) == ("theirs", {}, [])


def test_always_minds_nobody(otel: Otel, tmp_path: Path) -> None:
    with (
        recording(otel, tmp_path, otel="always") as rec,
        inside(otel, CHAT, {"suppress_instrumentation": True}),
    ):
        ask(rec, completion())
    assert {span.name for span in otel.spans} == {"chat gpt-5", "theirs"}
    assert otel.metrics()


def test_data_of_genai_utils_is_filled_where_it_is_empty(otel: Otel, tmp_path: Path) -> None:
    data = SimpleNamespace(
        provider_name="openai", usage_input_tokens=None, usage_cache_write_input_tokens=None, attributes={}
    )
    key = {"opentelemetry.genai.client.inference.context": data}
    with recording(otel, tmp_path) as rec, inside(otel, values=key):
        ask(rec, completion(usage=USAGE), url="https://api.deepseek.com/chat/completions")
    assert (data.provider_name, data.usage_input_tokens, data.usage_cache_write_input_tokens) == (
        "openai",
        10,
        4,
    )
    assert data.attributes["http.response.status_code"] == 200
    assert otel.span.name == "theirs"


async def opened(driver: Driver, client: Any) -> Any:
    """A response whose stream is to be read."""
    request = client.build_request("POST", "https://a.example/chat/completions", content=b"{}")
    response = client.send(request, stream=True)
    return await response if driver.asynchronous else response


async def read_and_end(driver: Driver, response: Any, span: Span) -> None:
    """Read a stream as SDKs do under an instrumentation, which ends its span with the last event."""
    async for chunk in driver.raw(response):
        if b"[DONE]" in chunk:
            span.end()
    await response.aclose() if driver.asynchronous else response.close()


def test_host_that_ends_with_the_last_event_is_told_before_it(
    driver: Driver, otel: Otel, tmp_path: Path
) -> None:
    """SDK instrumentations end their spans when they see the end of a stream, with the body still unread."""
    reply = streamed("Hel", "lo", usage=USAGE)

    async def scenario(rec: Any) -> None:
        span = otel.tracers.get_tracer("theirs").start_span("theirs", attributes=CHAT)
        client = rec.wrap(driver.client(driver.wire(reply)))
        with trace.use_span(span):
            response = await opened(driver, client)
        await read_and_end(driver, response, span)

    with recording(otel, tmp_path) as rec:
        driver.run(lambda: scenario(rec))
    assert otel.attributes["gen_ai.usage.input_tokens"] == 10
    assert otel.attributes["gen_ai.response.id"] == "c-1"


def test_host_of_a_replay_is_told_that_it_is_one_before_the_last_event(
    driver: Driver, otel: Otel, tmp_path: Path
) -> None:
    async def scenario(rec: Any) -> None:
        client = rec.wrap(driver.client(driver.wire(streamed("Hel", "lo", usage=USAGE))))
        for mode in ("once", "none"):
            span = otel.tracers.get_tracer("theirs").start_span("theirs", attributes=CHAT)
            with rec.cassette("c", mode=mode), trace.use_span(span):
                await read_and_end(driver, await opened(driver, client), span)

    with recording(otel, tmp_path, replay_spans=True) as rec:
        driver.run(lambda: scenario(rec))
    live, replayed = (dict(span.attributes or {}) for span in otel.spans)
    assert "recorder.replayed" not in live
    assert (replayed["recorder.replayed"], replayed["gen_ai.response.id"]) == (True, "c-1")
    assert not any(name.startswith("gen_ai.usage.") for name in replayed)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_what_a_model_writes_about_streams_is_not_taken_for_the_end_of_one(
    otel: Otel, tmp_path: Path, size: int
) -> None:
    text = (
        'It ends with\n\ndata: [DONE]\n\nor with {"type": "message_stop"} and {"type":"response.completed"}.'
    )
    reply = streamed(text, " Good?", usage=USAGE)
    whole = b"".join(chunk for chunk in reply.chunks if isinstance(chunk, bytes))
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    with recording(otel, tmp_path) as rec, inside(otel, CHAT):
        ask(rec, replace(reply, chunks=pieces), {"stream": True})
    assert otel.attributes["gen_ai.usage.input_tokens"] == 10
    assert otel.attributes["gen_ai.response.finish_reasons"] == ("stop",)


def test_host_gets_messages_where_they_are_asked_for(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path, content="SPAN_ONLY") as rec, inside(otel, CHAT):
        ask(rec, completion(), {"messages": [{"role": "user", "content": "Hi"}]})
    assert json.loads(otel.attributes["gen_ai.input.messages"])[0]["role"] == "user"


def test_two_recorders_make_one_span(otel: Otel, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    driver = Driver("httpx2", asynchronous=False)
    with recording(otel, tmp_path / "a") as outer, recording(otel, tmp_path / "b") as inner:
        client = outer.wrap(inner.wrap(driver.client(driver.wire(completion()))))
        client.post("https://a.example/chat/completions", json={"model": "m"})
        assert outer.flush()
        assert inner.flush()
        rows = [*Store(outer.store).calls(), *Store(inner.store).calls()]
    assert [row["span_id"] for row in rows] == [f"{otel.span.context.span_id:016x}"] * 2
