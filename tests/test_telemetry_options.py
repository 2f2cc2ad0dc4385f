"""What a Recorder says of options about OpenTelemetry that it cannot use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.trace import TracerProvider

import recorder
from recorder.telemetry import TelemetrySettings, telemetry_settings

from .otel import Otel


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("tracer_provider", 5, "tracer_provider=5 has no get_tracer"),
        ("tracer_provider", TracerProvider, "TracerProvider()"),
        ("meter_provider", TracerProvider(shutdown_on_exit=False), "has no get_meter"),
        ("logger_provider", "otlp", "logger_provider='otlp' has no get_logger"),
        ("otel", "on", "otel='on' is not known; it is one of auto, always, off"),
        ("otel", None, "otel=None"),
        ("semconv", 1.41, "semconv=1.41 is not known; it is one of 1.41, latest"),
        ("propagate", "no", "propagate='no' is neither True nor False"),
        ("propagate", None, "propagate=None"),
        ("replay_spans", 1, "replay_spans=1 is neither True nor False"),
        ("content", "spans", "content='spans' is not known"),
        ("content", 1, "content=1 is not known"),
        ("content_limit", 0, "content_limit=0 is no number of characters"),
        ("content_limit", True, "content_limit=True"),
        ("cost_attribute", "", "cost_attribute='' is no name"),
        ("cost_attribute", "a b", "cost_attribute='a b' is no name"),
        ("cost_attribute", ".amount", "is no name"),
        ("cost_attribute", True, "cost_attribute=True is no name"),
        ("cost_attribute", "gen_ai.request.model", "means something else"),
        ("cost_attribute", "gen_ai.usage.input_tokens", "means something else"),
    ],
)
def test_recorder_refuses_what_it_cannot_use(tmp_path: Path, option: str, value: Any, said: str) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(recorder.SettingsError) as caught:
        recorder.Recorder(f"sqlite:///{tmp_path}/calls.db", **options)
    assert said in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_providers_of_the_api_and_the_sdk_are_taken(otel: Otel) -> None:
    given: Any = {
        "tracer_provider": trace.NoOpTracerProvider(),
        "meter_provider": metrics.NoOpMeterProvider(),
    }
    assert telemetry_settings(given, {}).tracer_provider is given["tracer_provider"]
    assert telemetry_settings(otel.options, {}).logger_provider is otel.loggers  # type: ignore[arg-type]  # plain dict


@pytest.mark.parametrize(
    "name", ["gen_ai.usage.cost", "operation.cost", "gen_ai.usage.cost.amount", "llm.cost.total"]
)
def test_names_that_backends_read_are_taken_for_the_cost(name: str) -> None:
    assert telemetry_settings({"cost_attribute": name}, {}).cost_attribute == name


def test_variable_that_is_wrong_is_named() -> None:
    with pytest.raises(recorder.SettingsError, match=r"\$RECORDER_OTEL='on' is not known"):
        telemetry_settings({}, {"RECORDER_OTEL": "on"})
    assert telemetry_settings({}, {"RECORDER_OTEL": " OFF ", "RECORDER_SEMCONV": ""}) == TelemetrySettings(
        otel="off"
    )
    assert telemetry_settings({"otel": "auto"}, {"RECORDER_OTEL": "on"}) == TelemetrySettings()
