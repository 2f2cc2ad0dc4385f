"""What the demo needs around it: its clients' libraries, somewhere to put spans, and at last no network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import MissingExtra


def require_clients() -> None:
    """Raise MissingExtra where the demo's client libraries are not installed."""
    for name in ("openai", "httpx2"):
        try:
            __import__(name)
        except ImportError:
            raise MissingExtra(name, "demo") from None


@contextmanager
def spans_in_memory() -> Iterator[tuple[Any, Callable[[], list[Any]]]]:
    """A tracer provider that keeps its spans, and a function that lists those that have ended."""
    try:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    except ImportError:
        raise MissingExtra("opentelemetry-sdk", "demo") from None
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    try:
        yield provider, lambda: list(exporter.get_finished_spans())
    finally:
        provider.shutdown()


@contextmanager
def no_network() -> Iterator[None]:
    """Any attempt to open a connection raises, so that a replay that needs one fails."""
    import socket

    def refuse(*_: object) -> None:
        raise OSError("the replay tried to reach the network")

    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    socket.socket.connect = socket.socket.connect_ex = refuse  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        socket.socket.connect, socket.socket.connect_ex = connect, connect_ex  # type: ignore[method-assign]
