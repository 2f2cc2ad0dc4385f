"""Whether anybody listens: without an SDK each step is to cost next to nothing, and one may be set at any time."""

from __future__ import annotations

import os
from typing import Any, Final

from opentelemetry import metrics, trace
from opentelemetry.metrics import _internal as metrics_state

# The public functions that tell it look into the environment each time, which costs a microsecond.
_TRACES_TOLD: Final = hasattr(trace, "_TRACER_PROVIDER")
_METRICS_TOLD: Final = hasattr(metrics_state, "_METER_PROVIDER")
_TRACES_BY_NAME: Final = "OTEL_PYTHON_TRACER_PROVIDER" in os.environ
_METRICS_BY_NAME: Final = "OTEL_PYTHON_METER_PROVIDER" in os.environ


def traced() -> bool:
    """Whether there is a global tracer provider."""
    if _TRACES_TOLD:
        return trace._TRACER_PROVIDER is not None or _TRACES_BY_NAME
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def measured() -> bool:
    """Whether there is a global meter provider."""
    if _METRICS_TOLD:
        return metrics_state._METER_PROVIDER is not None or _METRICS_BY_NAME
    return type(metrics.get_meter_provider()).__module__ != metrics_state.__name__


def logs_api() -> Any:
    """The API of log events, which has no stable home yet; None where there is none."""
    try:
        from opentelemetry import _logs
    except ImportError:
        return None
    return _logs


def logged(api: Any) -> bool:
    """Whether there is a global logger provider."""
    return type(api.get_logger_provider()).__name__ not in ("ProxyLoggerProvider", "NoOpLoggerProvider")
