"""Set the OpenTelemetry SDK up by the standard environment variables: for `recorder run --otel`."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from typing import Any

from opentelemetry import metrics, trace

from ..errors import MissingExtra, SettingsError
from .listeners import logs_api, measured, traced

_SIGNALS = ("traces", "metrics", "logs")


def set_up() -> None:
    """Give the process tracer, meter and logger providers, where it has none.

    Exporters are those that `OTEL_TRACES_EXPORTER` and its kin name (default: otlp), found by their entry points.
    Raises MissingExtra where the SDK or an exporter is not installed.
    """
    exporters = {signal: _exporter(signal) for signal in _SIGNALS}
    if exporters["traces"] is not None and not traced():
        _trace(exporters["traces"])
    if exporters["metrics"] is not None and not measured():
        _measure(exporters["metrics"])
    if exporters["logs"] is not None:
        _log(exporters["logs"])


def _trace(exporter: Any) -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter()))
    trace.set_tracer_provider(provider)


def _measure(exporter: Any) -> None:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(exporter())]))


def _log(exporter: Any) -> None:
    if (api := logs_api()) is None:
        return
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter()))
    api.set_logger_provider(provider)


def _exporter(signal: str) -> Any:
    """The class of a signal's exporter; None where there is to be none."""
    name = os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip().lower() or "otlp"
    if name == "none":
        return None
    if name == "otlp":
        name = f"otlp_proto_{_protocol(signal)}"
    found = entry_points(group=f"opentelemetry_{signal}_exporter", name=name)
    if not found:
        if name == "otlp_proto_http":
            raise MissingExtra("opentelemetry-exporter-otlp-proto-http", "otel")
        raise SettingsError(f"no exporter of {signal} named {name!r} is installed")
    return next(iter(found)).load()


def _protocol(signal: str) -> str:
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL")
    said = own or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "http/protobuf"
    return "grpc" if said.strip().lower() == "grpc" else "http"
