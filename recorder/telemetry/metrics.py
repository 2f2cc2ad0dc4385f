"""The conventions' client metrics, with attributes of few values."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

from opentelemetry import metrics
from opentelemetry.context import Context
from opentelemetry.metrics import Counter, Histogram, Meter, MeterProvider

from ..body import read_answer
from ..call import Glance, Usage
from ..dialects.event_streams import arrivals_ns
from ..exchange import Exchange
from ..sse import read_events
from .attributes import Attributes
from .modalities import split
from .names import INFERENCES, OPERATION_DURATION, SCOPE, SECONDS, TOKENS, Counters, Names

_ASKED: Final = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "server.address",
    "server.port",
)
_ANSWERED: Final = ("gen_ai.response.model", "openai.response.service_tier", "error.type")


class Metrics:
    """The instruments of one version of the conventions; without an SDK they do nothing."""

    def __init__(self, names: Names, version: str, provider: MeterProvider | None = None) -> None:
        self._names = names
        meter = metrics.get_meter(SCOPE, version, provider, names.schema_url)
        self._duration = _seconds(meter, names.duration, "How long calls took.")
        self._other_duration = (
            self._duration
            if names.duration == OPERATION_DURATION
            else _seconds(meter, OPERATION_DURATION, "How long other operations took.")
        )
        self._first_chunk = _seconds(meter, names.first_chunk, "Time to the first chunk of a stream.")
        self._per_chunk = _seconds(meter, names.per_chunk, "Time between the chunks of a stream.")
        self._tokens = (
            _Usage(meter, names.token_usage)
            if names.token_usage is not None
            else _Counts(meter, names, names.counters)
            if names.counters is not None
            else None
        )

    def attributes(self, asked: Attributes, answered: Attributes) -> Attributes:
        """Those of a call's attributes that are of few values."""
        found: Attributes = {name: asked[name] for name in _ASKED if name in asked}
        for name in _ANSWERED:
            if name in answered:
                found[name] = answered[name]
        return found

    def record(
        self, exchange: Exchange, answer: Glance, attributes: Attributes, context: Context | None
    ) -> None:
        """A call has ended."""
        inference = attributes["gen_ai.operation.name"] in INFERENCES
        duration = self._duration if inference else self._other_duration
        duration.record(exchange.ending.at_ns / 1e9, attributes, context)
        if inference and answer.first_chunk_ns is not None:
            plain = _without_error(attributes)
            self._first_chunk.record(answer.first_chunk_ns / 1e9, plain, context)
        if self._tokens is not None and (inference or self._names.token_usage is not None):
            self._tokens.record(answer.usage, answer.raw_usage, attributes, context)

    def record_chunks(self, exchange: Exchange, attributes: Attributes, context: Context | None) -> None:
        """The times between the events of a stream: one record each, so nobody's call should wait for it."""
        plain = _without_error(attributes)
        times = _event_times_ns(exchange)
        for before, after in pairwise(times):
            self._per_chunk.record((after - before) / 1e9, plain, context)


class _Usage:
    """One histogram, with the type of the tokens as an attribute."""

    def __init__(self, meter: Meter, name: str) -> None:
        self._histogram = _tokens(meter, name, "Tokens of calls.")

    def record(
        self, usage: Usage | None, raw_usage: Any, attributes: Attributes, context: Context | None
    ) -> None:
        if usage is None:
            return
        plain = _without_error(attributes)
        for kind, count in (("input", usage.input), ("output", usage.output)):
            if count is not None:
                self._histogram.record(count, {**plain, "gen_ai.token.type": kind}, context)


class _Counts:
    """A counter for each kind of tokens, by modality, and histograms of a call's sums."""

    def __init__(self, meter: Meter, names: Names, counters: Counters) -> None:
        self._input = _counter(meter, counters.input)
        self._output = _counter(meter, counters.output)
        self._cached = _counter(meter, counters.cached)
        self._cache_write = _counter(meter, counters.cache_write)
        self._reasoning = _counter(meter, counters.reasoning)
        self._inputs = _tokens(meter, names.input_tokens, "Input tokens of a call.")
        self._outputs = _tokens(meter, names.output_tokens, "Output tokens of a call.")

    def record(
        self, usage: Usage | None, raw_usage: Any, attributes: Attributes, context: Context | None
    ) -> None:
        usage = usage or Usage()
        plain = _without_error(attributes)
        for counter, side, count in (
            (self._input, "input", usage.input or 0),
            (self._output, "output", usage.output or 0),
            (self._cached, "cache_read.input", usage.cached),
            (self._cache_write, "", usage.cache_write),
            (self._reasoning, "", usage.reasoning),
        ):
            if count is not None:
                for kind, tokens in split(raw_usage, side, count).items():
                    counter.add(tokens, {**plain, "gen_ai.token.modality": kind}, context)
        self._inputs.record(usage.input or 0, attributes, context)
        self._outputs.record(usage.output or 0, attributes, context)


def _event_times_ns(exchange: Exchange) -> tuple[int, ...]:
    answer = read_answer(exchange)
    ends = (event.end for event in read_events(answer.data) if event.data.strip() != b"[DONE]")
    return tuple(time for time in arrivals_ns(exchange, answer, *ends) if time is not None)


def _without_error(attributes: Attributes) -> Attributes:
    if "error.type" not in attributes:
        return attributes
    return {name: value for name, value in attributes.items() if name != "error.type"}


def _seconds(meter: Meter, name: str, description: str) -> Histogram:
    return meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=SECONDS)


def _tokens(meter: Meter, name: str, description: str) -> Histogram:
    return meter.create_histogram(name, "{token}", description, explicit_bucket_boundaries_advisory=TOKENS)


def _counter(meter: Meter, name: str) -> Counter:
    return meter.create_counter(name, "{token}", "Tokens, those of failed calls too.")
