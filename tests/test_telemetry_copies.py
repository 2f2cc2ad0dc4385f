"""Copies of spans beside what others bring: processors, samplers and generators of ids of any make."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import SpanProcessor, Tracer, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_ON,
    Decision,
    ParentBased,
    SamplingResult,
    StaticSampler,
)

from recorder.telemetry import late_spans, span_copies
from recorder.telemetry.late_attributes import LateAttributes, late_attributes
from recorder.telemetry.late_list import LateList, late_list
from recorder.telemetry.span_copies import SpanCopies

from .test_telemetry_late import Ids, Kept, differences, trace_call, tracers, usual


class Forwarding:
    """Does what another object does, of whose class it is not."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Slotted:
    """A processor without a dictionary, which has nothing to do at a start."""

    __slots__ = ("ended",)

    def __init__(self) -> None:
        self.ended = 0

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        pass

    def _on_ending(self, span: Any) -> None:
        pass

    def on_end(self, span: Any) -> None:
        self.ended += 1


PROCESSORS: dict[str, Callable[[], Any]] = {
    "mock": lambda: Mock(spec=SpanProcessor),
    "forwarding": lambda: Forwarding(SpanProcessor()),
    "slotted": Slotted,
}


def copies_of(provider: TracerProvider) -> SpanCopies:
    copies = late_spans.copies_of(provider.get_tracer("x"))
    assert copies is not None
    return copies


@pytest.mark.parametrize("make", PROCESSORS.values(), ids=PROCESSORS)
def test_processor_of_any_make_may_come_later(make: Callable[[], Any]) -> None:
    provider = tracers(SpanProcessor())
    copies = copies_of(provider)
    provider.add_span_processor(make())
    assert copies.start("name", Context(), 1, dict) is not None


def test_processor_is_asked_from_when_it_has_something_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    processor, heard = SpanProcessor(), Mock()
    copies = copies_of(tracers(processor))
    copies.start("name", Context(), 1, dict)
    monkeypatch.setattr(processor, "on_start", heard)
    copies.start("name", Context(), 1, dict)
    heard.assert_called_once()


def test_tracer_with_a_method_put_into_it_starts_the_spans() -> None:
    tracer: Any = tracers(Kept()).get_tracer("x")
    copies = late_spans.copies_of(tracer)
    assert copies is not None
    vars(tracer)["start_span"] = Mock()
    assert copies.start("name", Context(), 1, dict) is None


def test_tracer_that_was_wrapped_before_starts_the_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    usually = Tracer.start_span

    @functools.wraps(usually)
    def start_span(self: Any, name: str, *more: Any, **options: Any) -> Any:
        asked.append(name)
        return usually(self, name, *more, **options)

    monkeypatch.setattr(Tracer, "start_span", start_span)
    monkeypatch.setattr(span_copies, "_START", start_span)
    trace_call(usual(), tracers(Kept()))
    assert asked == ["chat gpt-5"]


def test_thread_that_looks_second_finds_what_the_first_has_made() -> None:
    attributes = late_attributes((9, None), lambda: {"a": 1})
    events = object.__new__(late_list(3))
    assert (len(attributes), len(events)) == (1, 0)
    late_class: Any = LateAttributes  # which is where the second is while the first changes the class
    assert late_class.__getattr__(attributes, "_dict") == {"a": 1}
    assert LateList.__getattr__(events, "_dq").maxlen == 3


def test_generator_with_methods_put_into_it_is_asked() -> None:
    kept, generator = Kept(), RandomIdGenerator()
    vars(generator).update(generate_trace_id=lambda: 11, generate_span_id=lambda: 12)
    provider = tracers(kept)
    provider.id_generator = generator
    trace_call(usual(), provider)
    context = kept.spans[0].context
    assert (context.trace_id, context.span_id) == (11, 12)


def test_program_with_a_seed_gets_the_numbers_that_it_would_get_from_the_sdk_alone() -> None:
    kept, dice = Kept(), random.Random(5)
    provider = tracers(kept)
    provider.id_generator = RandomIdGenerator()
    state = random.getstate()
    try:
        random.seed(5)
        trace_call(usual(), provider)
        context = kept.spans[0].context
        assert (context.trace_id, context.span_id) == (dice.getrandbits(128), dice.getrandbits(64))
        assert random.random() == dice.random()
    finally:
        random.setstate(state)


@pytest.mark.parametrize("name", ["generate_trace_id", "generate_span_id"])
def test_span_without_an_id_is_not_told(name: str) -> None:
    kept, provider = Kept(), TracerProvider(shutdown_on_exit=False, id_generator=Ids())
    provider.add_span_processor(kept)
    vars(provider.id_generator)[name] = lambda: 0
    assert trace_call(usual(), provider).span is None
    assert kept.spans == []


def test_sampler_with_a_method_put_into_it_is_asked() -> None:
    kept, sampler = Kept(), StaticSampler(Decision.RECORD_AND_SAMPLE)
    vars(sampler)["should_sample"] = lambda *about, **more: SamplingResult(Decision.DROP)
    trace_call(usual(), tracers(kept, sampler=sampler))
    assert kept.spans == []


@pytest.mark.parametrize("wrap", [lambda sampler: sampler, ParentBased], ids=["alone", "as a root"])
def test_sampler_that_forwards_is_asked(wrap: Callable[[Any], Any]) -> None:
    assert differences([usual()], sampler=wrap(Forwarding(ALWAYS_ON))) == []
    kept = Kept()
    trace_call(usual(), tracers(kept, sampler=wrap(Forwarding(ALWAYS_ON))))
    assert len(kept.spans) == 1


def test_parent_need_not_tell_whether_it_is_remote() -> None:
    nothing: Any = None
    parent = trace.SpanContext(3, 4, nothing, trace.TraceFlags(1))
    with trace.use_span(trace.NonRecordingSpan(parent)):
        assert differences([usual()]) == []
