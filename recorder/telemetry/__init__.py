"""OpenTelemetry: spans, metrics and events of attempts, after the GenAI semantic conventions."""

from .host_stream import ChunkFilter, TerminalWatch
from .options import TelemetryOptions, TelemetrySettings, telemetry_settings
from .telemetry import Outcome, Price, Telemetry
from .traced import SpanScope, Traced, leave

__all__ = [
    "ChunkFilter",
    "Outcome",
    "Price",
    "SpanScope",
    "Telemetry",
    "TelemetryOptions",
    "TelemetrySettings",
    "TerminalWatch",
    "Traced",
    "leave",
    "telemetry_settings",
]
