"""Beside OpenTelemetry's HTTP instrumentation, above and below; and switched on as an instrumentation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from opentelemetry.trace import SpanKind

from recorder.demo.upstream import Upstream
from recorder.instrumentor import RecorderInstrumentor
from recorder.ledger import Store

from .drivers import Driver
from .otel import Otel, completion, recording

ASKED = {"model": "deepseek-chat", "messages": [{"role": "user", "content": "Hi"}]}
KEY = {"authorization": "Bearer sk-test0123456789abcdefghij"}


@pytest.fixture
def http(otel: Otel) -> Iterator[Any]:
    """The HTTP instrumentation; it changes classes, so it is undone."""
    module = pytest.importorskip("opentelemetry.instrumentation.httpx")
    yield module
    for name in ("HTTPXClientInstrumentor", "HTTPX2ClientInstrumentor"):
        instrumentor = getattr(module, name)()
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()


def one_call(rec: Any, driver: Driver, client: Any, url: str) -> None:
    async def scenario() -> None:
        response = await driver.send(client, "POST", url, json=ASKED, headers=KEY)
        assert response.status_code == 200
        await driver.close(client)

    driver.run(scenario)
    assert rec.flush()


def test_class_level_http_span_is_a_child_of_the_call(
    driver: Driver, otel: Otel, tmp_path: Path, http: Any, upstream: Any
) -> None:
    for name in ("HTTPXClientInstrumentor", "HTTPX2ClientInstrumentor"):
        getattr(http, name)().instrument(tracer_provider=otel.tracers, meter_provider=otel.meters[0])
    with recording(otel, tmp_path) as rec:
        one_call(rec, driver, rec.wrap(driver.client(base_url=upstream.base_url)), "/chat/completions")
    child, call = otel.spans
    assert child.parent is not None
    assert (call.name, child.parent.span_id) == ("chat deepseek-chat", call.context.span_id)
    sent = upstream.requests[-1].header("traceparent")
    assert sent.split("-")[1:3] == [
        f"{call.context.trace_id:032x}",
        f"{child.context.span_id:016x}",
    ]


def test_http_span_of_an_instrumented_client_is_its_parent(
    driver: Driver, otel: Otel, tmp_path: Path, http: Any
) -> None:
    name = "HTTPXClientInstrumentor" if driver.library is httpx else "HTTPX2ClientInstrumentor"
    with recording(otel, tmp_path) as rec:
        client = rec.wrap(driver.client(driver.wire(completion())))
        getattr(http, name)().instrument_client(client, tracer_provider=otel.tracers)
        one_call(rec, driver, client, "https://api.openai.com/v1/chat/completions")
    call, parent = sorted(otel.spans, key=lambda span: span.name != "chat deepseek-chat")
    assert call.parent is not None
    assert (parent.kind, call.parent.span_id) == (SpanKind.CLIENT, parent.context.span_id)
    assert len(otel.spans) == 2


@pytest.fixture
def instrumentor() -> Iterator[RecorderInstrumentor]:
    instrumentor = RecorderInstrumentor()
    yield instrumentor
    instrumentor.uninstrument()


def post(upstream: Any) -> None:
    for library in (httpx, httpx2):
        url = f"{upstream.base_url}/chat/completions"
        assert library.post(url, json=ASKED, headers=KEY).status_code == 200


def test_instrumentor_makes_spans_and_keeps_no_store(
    otel: Otel,
    instrumentor: RecorderInstrumentor,
    upstream: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECORDER_STORE", raising=False)
    instrumentor.instrument(skip_dep_check=True, **otel.options)
    post(upstream)
    instrumentor.uninstrument()
    post(upstream)
    assert [span.name for span in otel.spans] == ["chat deepseek-chat"] * 2
    assert otel.metrics()["gen_ai.client.operation.duration"][0].count == 2
    assert list(tmp_path.iterdir()) == []


def test_instrumentor_stores_where_a_store_is_named(
    otel: Otel,
    instrumentor: RecorderInstrumentor,
    upstream: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    monkeypatch.setenv("RECORDER_STORE", url)
    instrumentor.instrument(**otel.options)
    with recording(otel, tmp_path) as rec:  # the same store: nothing is recorded twice
        rec.install()
        post(upstream)
        assert rec.flush()
    instrumentor.uninstrument()
    assert len(Store(url).calls()) == len(otel.spans) == 2


@pytest.fixture
def upstream() -> Iterator[Any]:
    with Upstream() as upstream:
        yield upstream
