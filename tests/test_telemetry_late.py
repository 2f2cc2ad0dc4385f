"""Attributes that are read late: nobody can tell them from those that were set at once."""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, Tracer, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    StaticSampler,
    TraceIdRatioBased,
)

import recorder
from recorder.attempt import Attempt
from recorder.dialects.chat import chat as chat_dialect
from recorder.ended import Ended
from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.guard import Guard
from recorder.pricing import Cost
from recorder.redact import Redactor
from recorder.routes import Routes
from recorder.settings import RedactionRules, Settings
from recorder.tagging import NO_TAGS, Tags
from recorder.telemetry import Telemetry, TelemetrySettings, Traced, late_spans, leave
from recorder.telemetry.content_mode import Content
from recorder.telemetry.late_attributes import LateAttributes, hand, late_attributes
from recorder.telemetry.names import Semconv
from recorder.telemetry.verdicts import is_blind

from .conftest import CORPUS
from .otel import Otel
from .test_corpus import corpus  # noqa: F401 - a fixture

URL = "https://api.openai.com/v1/chat/completions"
OPERATION = 2**100
Way = Literal["unread", "read", "at once"]
WAYS: tuple[Way, ...] = ("unread", "read", "at once")
ASKED = {"model": "gpt-5", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5, "user": "u-1"}
ANSWER = {
    "id": "c-1",
    "model": "gpt-5-2026",
    "choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 8},
    "system_fingerprint": "fp_1",
}
_ROUTES = Routes(Settings(record_paths=("*",)))


class Ids(RandomIdGenerator):
    """The same ids for each."""

    def __init__(self) -> None:
        self._dice = random.Random(1)

    def generate_trace_id(self) -> int:
        return self._dice.getrandbits(128)

    def generate_span_id(self) -> int:
        return self._dice.getrandbits(64)


class Kept(SpanProcessor):
    """Keeps spans, and what `look` sees of each at its start."""

    def __init__(self, look: Callable[[Any], Any] = lambda span: None) -> None:
        self.seen: list[Any] = []
        self.spans: list[Any] = []
        self._look = look

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.seen.append(self._look(span))

    def on_end(self, span: Any) -> None:
        self.spans.append(span)


def tracers(*processors: SpanProcessor, **options: Any) -> TracerProvider:
    made = TracerProvider(shutdown_on_exit=False, id_generator=Ids(), **options)
    for processor in processors:
        made.add_span_processor(processor)
    return made


def exchange_of(
    asked: bytes, answer: bytes, status: int = 200, url: str = URL, headers: Any = (), **ending: Any
) -> Exchange:
    head = ResponseHead(status, ((b"content-type", b"application/json"),), at_ns=5)
    request = Request("POST", url, headers, asked)
    return Exchange(
        request,
        1_760_000_000_000_000,
        Ending(**{"kind": "complete", "at_ns": 9, **ending}),
        head,
        (answer,),
        (7,),
    )


def usual(**more: Any) -> Exchange:
    return exchange_of(json.dumps({**ASKED, **more}).encode(), json.dumps(ANSWER).encode())


def trace_call(
    exchange: Exchange,
    provider: TracerProvider,
    way: Way = "unread",
    *,
    tags: Tags = NO_TAGS,
    semconv: Semconv = "1.41",
) -> Traced:
    """Start and end the span of a call as a recorder does."""
    redactor = Redactor(RedactionRules())
    telemetry = Telemetry(redactor, TelemetrySettings(tracer_provider=provider, semconv=semconv))
    telemetry._waits = way != "at once"
    request, started_us = exchange.request, exchange.started_us
    route = _ROUTES.find(request.method, request.url)
    assert route is not None
    dialect, name = route
    half = started = None
    if way == "unread":
        started = telemetry.start_unread(dialect, name, request, started_us, tags, OPERATION)
    if started is None:
        half = dialect.read_request(request, name)
        started = telemetry.start(half, started_us, tags, OPERATION)
    traced = started[0]
    assert traced is not None
    leave(traced.enter())
    attempt = Attempt(dialect, name, half, tags, 1, OPERATION)
    telemetry.end(
        traced, name, Ended(attempt, exchange, redactor, Guard(strict=True), lambda url: name), False
    )
    return traced


def told(span: Any) -> dict[str, Any]:
    """All that anybody can see of a span."""
    return {
        "name": span.name,
        "context": (span.get_span_context(), span.get_span_context().trace_flags),
        "parent": span.parent,
        "kind": span.kind,
        "times": (span.start_time, span.end_time),
        "status": (span.status.status_code, span.status.description),
        "attributes": list((span.attributes or {}).items()),
        "types": [type(value) for value in (span.attributes or {}).values()],
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
        "events": span.events,
        "links": span.links,
        "scope": span.instrumentation_scope,
        "class": (type(span), type(span._attributes), vars(span).keys()),
    }


def differences(
    exchanges: Sequence[Exchange],
    look: Callable[[Any], Any] = lambda span: None,
    tags: Tags = NO_TAGS,
    semconv: Semconv = "1.41",
    **options: Any,
) -> list[list[Any]]:
    """The spans that are not told alike in all ways."""
    kept = {way: Kept(look) for way in WAYS}
    for way, processor in kept.items():
        provider = tracers(processor, **options)
        for exchange in exchanges:
            trace_call(exchange, provider, way, tags=tags, semconv=semconv)
    assert "sampler" in options or len(kept["unread"].spans) == len(exchanges)
    alike = [list(map(told, spans)) for spans in zip(*(kept[way].spans for way in WAYS), strict=True)]
    return [each for each in alike if each.count(each[0]) != len(WAYS)]


def test_attributes_are_read_when_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    usually = chat_dialect.Chat.read_request

    def read_request(*about: Any) -> Any:
        read.append(about)
        return usually(*about)

    monkeypatch.setattr(chat_dialect.Chat, "read_request", read_request)
    kept = Kept()
    trace_call(usual(), tracers(kept))
    (span,) = kept.spans
    assert (read, span.name) == ([], "chat gpt-5")
    assert span.attributes["gen_ai.usage.output_tokens"] == 8
    assert len(read) == 1
    assert type(span._attributes) is BoundedAttributes
    assert span.attributes["gen_ai.request.temperature"] == 0.5
    assert len(read) == 1


@pytest.mark.skipif(not CORPUS.is_dir(), reason="../shared/corpus is not beside this checkout")
@pytest.mark.parametrize("semconv", ["1.41", "latest"])
def test_corpus_is_told_alike(corpus: Any, semconv: Semconv) -> None:  # noqa: F811
    exchanges = [exchange_of(each.request, each.body, each.status, each.url) for each in corpus]
    assert differences(exchanges, semconv=semconv) == []


KEY = "sk-proj-" + "a1B2" * 12
VALUE = st.sampled_from(
    [None, True, 0, 7, -(2**70), 0.5, 40.0, "", "gpt-5", "\ud800", KEY, ["a"], ["a", 1], {"type": "text"}]
)
ASKS = [
    "model",
    "stream",
    "n",
    "top_k",
    "seed",
    "stop",
    "max_tokens",
    "user",
    "service_tier",
    "response_format",
]
PARAMETERS = st.dictionaries(st.sampled_from(ASKS), VALUE, max_size=4)
CHOICE = st.fixed_dictionaries({}, optional={"index": VALUE, "finish_reason": VALUE, "error": VALUE})
COUNTS = st.fixed_dictionaries({}, optional={"prompt_tokens": VALUE, "completion_tokens": VALUE})
ANSWERS = st.fixed_dictionaries(
    {"choices": st.lists(CHOICE, max_size=2)},
    optional={"id": VALUE, "model": VALUE, "usage": COUNTS, "error": VALUE},
)
LIMITS = st.builds(
    SpanLimits,
    max_span_attributes=st.none() | st.integers(0, 9),
    max_span_attribute_length=st.none() | st.integers(0, 9),
)


def as_json(values: dict[str, Any]) -> bytes:
    return json.dumps(values).encode()


@given(
    PARAMETERS.map(as_json) | st.sampled_from([b"", b"{", b"[1]", b'{"model":"a","model":"b"}']),
    ANSWERS.map(as_json) | st.sampled_from([b"", b"{", b"[]", b"data: [DONE]\n\n"]),
    st.sampled_from([200, 302, 429]),
    st.sampled_from(
        [{}, {"kind": "closed_early"}, {"kind": "error", "exception": "builtins.OSError", "message": "x"}]
    ),
    LIMITS,
)
def test_whatever_is_asked_and_answered_is_told_alike(
    asked: bytes, answer: bytes, status: int, ending: dict[str, Any], limits: SpanLimits
) -> None:
    headers = ((b"x-stainless-retry-count", b"2"),)
    exchange = exchange_of(asked, answer, status, headers=headers, **ending)
    tags = Tags("s-1", "u-2", {"team": "a", "large": 2**70})
    logging.disable(logging.WARNING)  # the SDK tells of all that exceeds its limits
    try:
        different = differences([exchange], tags=tags, span_limits=limits)
    finally:
        logging.disable(logging.NOTSET)
    assert different == []


SAMPLERS = {
    "on": ALWAYS_ON,
    "off": ALWAYS_OFF,
    "recorded only": StaticSampler(Decision.RECORD_ONLY),
    "half": TraceIdRatioBased(0.5),
    "as the parent": DEFAULT_ON,
    "half, or as the parent": ParentBased(TraceIdRatioBased(0.5)),
}


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("flags", [None, 0, 1, 3])
def test_samplers_and_parents_make_no_difference(sampler: str, flags: int | None) -> None:
    state = trace.TraceState([("vendor", "1")])
    parent = trace.SpanContext(3, 4, True, trace.TraceFlags(flags or 0), state)
    span = trace.INVALID_SPAN if flags is None else trace.NonRecordingSpan(parent)
    with trace.use_span(span):
        assert differences([usual()] * 8, sampler=SAMPLERS[sampler]) == []
    assert is_blind(SAMPLERS[sampler])


class Looking(Sampler):
    """Looks at the attributes, and adds one."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def should_sample(
        self,
        parent_context: Any,
        trace_id: int,
        name: str,
        kind: Any = None,
        attributes: Any = None,
        *more: Any,
        **others: Any,
    ) -> SamplingResult:
        self.seen.append(attributes)
        return SamplingResult(Decision.RECORD_AND_SAMPLE, {**(attributes or {}), "added": 1})

    def get_description(self) -> str:
        return "Looking"


@pytest.mark.parametrize("wrap", [lambda sampler: sampler, ParentBased], ids=["alone", "as a root"])
def test_sampler_that_looks_gets_attributes_at_the_start(wrap: Callable[[Sampler], Sampler]) -> None:
    sampler, kept = Looking(), Kept()
    trace_call(usual(), tracers(kept, sampler=wrap(sampler)))
    assert sampler.seen[0]["gen_ai.request.temperature"] == 0.5
    assert kept.spans[0].attributes["added"] == 1


def test_attributes_of_the_start_can_be_had_without_a_look_at_the_span() -> None:
    kept = Kept()
    traced = trace_call(usual(), tracers(kept))
    assert traced.attributes["gen_ai.request.temperature"] == 0.5
    assert type(kept.spans[0]._attributes) is LateAttributes


def test_provider_that_is_set_later_has_late_attributes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    telemetry = Telemetry(Redactor(None), TelemetrySettings())
    dialect, name = _ROUTES.find("POST", URL) or (None, "")
    assert dialect is not None
    assert not telemetry.heard()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", tracers(kept))
    for _ in range(2):
        assert telemetry.heard()
        started = telemetry.start_unread(dialect, name, usual().request, 1, NO_TAGS, OPERATION)
        assert started is not None
        assert started[0] is not None
        assert started[0].late is not None
        started[0].give_up()
    assert [span.attributes["gen_ai.request.model"] for span in kept.spans] == ["gpt-5", "gpt-5"]


def test_generators_of_ids_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    provider = tracers(kept)
    provider.id_generator = RandomIdGenerator()
    trace_call(usual(), provider)
    monkeypatch.setattr(RandomIdGenerator, "generate_span_id", lambda self: 11)
    monkeypatch.setattr(RandomIdGenerator, "generate_trace_id", lambda self: 12)
    trace_call(usual(), provider)
    first, second = (span.context for span in kept.spans)
    assert (second.span_id, second.trace_id) == (11, 12)
    assert first.is_valid
    assert first.span_id != 11


def test_processor_that_looks_sees_attributes_at_the_start() -> None:
    kept = {way: Kept(lambda span: list(span.attributes.items())) for way in WAYS}
    for way, processor in kept.items():
        trace_call(usual(), tracers(processor), way)
    assert kept["unread"].seen == kept["read"].seen == kept["at once"].seen
    assert "gen_ai.request.temperature" in dict(kept["unread"].seen[0])
    assert differences([usual()], lambda span: dict(span.attributes)) == []


def test_processor_may_set_attributes_at_the_start() -> None:
    def set_some(span: Any) -> None:
        span.set_attributes({"mine": 1, "gen_ai.request.model": "x"})

    kept = Kept(set_some)
    trace_call(usual(), tracers(kept))
    assert kept.spans[0].attributes["mine"] == 1
    assert differences([usual()], set_some) == []


def test_processor_may_put_other_attributes_in_their_place() -> None:
    def replace(span: Any) -> None:
        span._attributes = BoundedAttributes(9, {"mine": 1}, immutable=False)

    kept = Kept(replace)
    trace_call(usual(), tracers(kept))
    attributes = kept.spans[0].attributes
    assert (attributes["mine"], attributes["gen_ai.response.id"]) == (1, "c-1")


def test_exporters_get_all_at_once_and_in_batches() -> None:
    at_once, in_batches = InMemorySpanExporter(), InMemorySpanExporter()
    batches: Any = BatchSpanProcessor(in_batches)
    provider = tracers(SimpleSpanProcessor(at_once), batches)
    trace_call(usual(), provider)
    assert provider.force_flush()
    batches.shutdown()
    for exporter in (at_once, in_batches):
        (span,) = exporter.get_finished_spans()
        assert (span.attributes or {})["gen_ai.usage.input_tokens"] == 10


@pytest.mark.parametrize("look", [True, False], ids=["read", "set"])
def test_span_can_be_read_and_set_while_it_is_sent(tmp_path: Any, look: bool) -> None:
    seen: list[Any] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        span: Any = trace.get_current_span()
        seen.append(dict(span.attributes) if look else span.set_attribute("mine", [1, 2]))
        return httpx2.Response(200, json=ANSWER)

    kept = Kept()
    with recorder.Recorder(
        f"sqlite:///{tmp_path}/calls.db", tracer_provider=tracers(kept), strict=False
    ) as rec:
        rec.wrap(httpx2.Client(transport=httpx2.MockTransport(answer))).post(URL, json=ASKED)
    attributes = dict(kept.spans[0].attributes)
    assert attributes["gen_ai.response.id"] == "c-1"
    assert seen == [{name: attributes[name] for name in seen[0]}] if look else attributes["mine"] == (1, 2)
    assert not look or seen[0]["gen_ai.request.temperature"] == 0.5


def test_secrets_are_taken_out_before_anybody_sees() -> None:
    kept = Kept()
    answer = json.dumps({**ANSWER, "id": KEY, "model": f"m {KEY}"}).encode()
    asked = json.dumps({**ASKED, "model": f"gpt {KEY}", "user": KEY, "stop": [KEY]}).encode()
    trace_call(exchange_of(asked, answer), tracers(kept))
    (span,) = kept.spans
    assert KEY not in span.to_json()
    assert "REDACTED" in span.name


@pytest.mark.parametrize("way", ["unread", "read"])
def test_what_waits_to_be_read_holds_no_answer(way: Way) -> None:
    kept = Kept()
    text = "long " * 1000
    stream = (
        b'data: {"choices":[{"delta":{"content":"%b"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
        % text.encode()
    )
    plain = json.dumps(
        {**ANSWER, "choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
    ).encode()
    for body in (plain, stream):
        trace_call(exchange_of(json.dumps(ASKED).encode(), body), tracers(kept), way)
    for span in kept.spans:
        assert type(span._attributes) is LateAttributes
        assert text not in repr(
            [each.args for each in vars(span._attributes).values() if hasattr(each, "args")]
        )
        assert span.attributes["gen_ai.response.finish_reasons"] == ("stop",)


def test_reading_that_fails_leaves_what_could_be_read(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> Any:
        raise ValueError("cannot be read")

    first, second = late_attributes((9, None), fail), late_attributes((9, None), lambda: {"a": 1})
    assert hand(first, lambda: {"b": 2})
    assert hand(second, fail)
    assert (dict(first), dict(second)) == ({"b": 2}, {"a": 1})
    assert "recorder failed" in caplog.text


def test_attributes_become_immutable_with_the_end() -> None:
    kept = Kept()
    trace_call(usual(), tracers(kept))
    attributes = kept.spans[0]._attributes
    with pytest.raises(TypeError):
        attributes["more"] = 1
    assert "more" not in attributes


def test_threads_that_look_at_once_see_the_same() -> None:
    for _ in range(50):
        gate = threading.Barrier(4)
        late = late_attributes((9, None), lambda: {"a": 1, "b": 2})
        seen: list[Any] = []

        def look(late: LateAttributes = late, gate: threading.Barrier = gate, seen: list[Any] = seen) -> None:
            gate.wait()
            seen.append(dict(late))

        threads = [threading.Thread(target=look) for _ in range(3)]
        for thread in threads:
            thread.start()
        gate.wait()
        handed = hand(late, lambda: {"c": 3})
        for thread in threads:
            thread.join()
        asked = {"a": 1, "b": 2}
        assert all(each in (asked, {**asked, "c": 3}) for each in seen)
        assert dict(late) == ({**asked, "c": 3} if handed else asked)


def more_in_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    init = sdk_trace.Span.__init__

    def made(self: Any, *arguments: Any, **options: Any) -> None:
        init(self, *arguments, **options)
        self._more = object()

    monkeypatch.setattr(sdk_trace.Span, "__init__", made)


def more_in_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    init = BoundedAttributes.__init__

    def made(self: Any, *arguments: Any, **options: Any) -> None:
        init(self, *arguments, **options)
        self._more = object()

    monkeypatch.setattr(BoundedAttributes, "__init__", made)


def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    init = BoundedAttributes.__init__

    def made(self: Any, *arguments: Any, **options: Any) -> None:
        init(self, *arguments, **options)
        del self.max_value_len

    monkeypatch.setattr(BoundedAttributes, "__init__", made)


def attributes_set_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    usually = sdk_trace.Span.set_attributes
    monkeypatch.setattr(
        sdk_trace.Span, "set_attributes", lambda self, values: usually(self, {**values, "more": 1})
    )


@pytest.mark.parametrize("change", [more_in_spans, more_in_attributes, no_limits, attributes_set_otherwise])
def test_another_sdk_is_left_alone(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], None]) -> None:
    kept = Kept()
    provider = tracers(kept)
    assert late_spans.copies_of(provider.get_tracer("x")) is not None
    change(monkeypatch)
    assert late_spans.copies_of(provider.get_tracer("x")) is None
    if change is not no_limits:
        trace_call(usual(), provider)
        assert kept.spans[0].attributes["gen_ai.request.temperature"] == 0.5


def test_tracer_that_somebody_has_changed_starts_the_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    usually, kept = Tracer.start_span, Kept()
    provider = tracers(kept)
    trace_call(usual(), provider)

    def start_span(self: Any, name: str, *more: Any, **options: Any) -> Any:
        asked.append(more[2])
        return usually(self, name, *more, **options)

    monkeypatch.setattr(Tracer, "start_span", start_span)
    trace_call(usual(), provider)
    assert [each["gen_ai.request.temperature"] for each in asked] == [0.5]
    assert len(kept.spans) == 2


def test_what_looks_at_attributes_at_once_gets_them_at_once(otel: Otel) -> None:
    kept = Kept(lambda span: type(vars(span)["_attributes"]))
    otel.tracers.add_span_processor(kept)
    exchange = usual()
    dialect, name = _ROUTES.find("POST", URL) or (None, "")
    assert dialect is not None
    settings = (
        TelemetrySettings(tracer_provider=otel.tracers, meter_provider=otel.meters[0]),
        TelemetrySettings(tracer_provider=otel.tracers, content=Content(on_spans=True)),
        TelemetrySettings(tracer_provider=otel.tracers, cost_attribute="cost"),
    )
    for each in settings:
        telemetry = Telemetry(Redactor(None), each, lambda call, exchange: Cost())
        assert telemetry.start_unread(dialect, name, exchange.request, 1, NO_TAGS, OPERATION) is None
