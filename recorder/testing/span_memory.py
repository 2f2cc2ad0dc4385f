"""The spans of a test's cassette, kept in memory for the fixture `recorded_spans`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ..errors import MissingExtra

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

_FIXTURE = "recorded_spans"


def span_memory() -> InMemorySpanExporter:
    """An exporter that keeps all spans; fails the test where the SDK is not installed."""
    try:
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    except ImportError:
        pytest.fail(str(MissingExtra("opentelemetry-sdk", "otel")), pytrace=False)
    return InMemorySpanExporter()


def traced(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a cassette is opened with so that its spans are kept, if the test asks for them."""
    if _FIXTURE not in request.fixturenames:
        return {}
    exporter = request.getfixturevalue(_FIXTURE)
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return {"tracer_provider": provider}
