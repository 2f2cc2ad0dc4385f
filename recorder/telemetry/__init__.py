"""OpenTelemetry: spans, metrics and events of attempts, after the GenAI semantic conventions."""

from .host_stream import ChunkFilter, TerminalWatch
from .names import Names
from .options import TelemetryOptions, TelemetrySettings, cassette_telemetry, telemetry_settings
from .telemetry import Outcome, Price, Telemetry
from .traced import SpanScope, Traced, leave

__all__ = [
    "ChunkFilter",
    "Names",
    "Outcome",
    "Price",
    "SpanScope",
    "Telemetry",
    "TelemetryOptions",
    "TelemetrySettings",
    "TerminalWatch",
    "Traced",
    "cassette_telemetry",
    "leave",
    "telemetry_settings",
]
