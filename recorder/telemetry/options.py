"""What can be set of spans, metrics and events, gathered in one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, Literal, TypedDict

from msgspec import Struct
from opentelemetry.metrics import MeterProvider, NoOpMeterProvider
from opentelemetry.trace import TracerProvider

from ..errors import SettingsError
from .content_mode import Content, content_of
from .names import NAMES, Names, Semconv
from .option_checks import check_choice, check_values

Otel = Literal["auto", "always", "off"]

CONTENT_LIMIT: Final = 65_536


class TelemetryOptions(TypedDict, total=False):
    """The options of a Recorder that are about OpenTelemetry, all of them keywords.

    - `otel`: `auto` leaves a call to another instrumentation that is at it already, and is silent where
      instrumentation is suppressed; `always` minds neither; `off` makes no spans, metrics or events. Default:
      `$RECORDER_OTEL`, else `auto`.
    - `semconv`: the version of the GenAI conventions, `1.41` (released) or `latest` (their main branch). Default:
      `$RECORDER_SEMCONV`, else `1.41`.
    - `content`: whether messages go onto spans and events: True, False, or `NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY`,
      `SPAN_AND_EVENT`. Default: `$OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, else none.
    - `content_limit`: how many characters an attribute with messages may have; longer ones are shortened inside
      their JSON.
    - `cost_attribute`: the span attribute that gets the cost, such as `gen_ai.usage.cost`; none without it. A name
      that ends in `.amount` gets `.currency` and `.source` beside it, any other only amounts in USD.
    - `propagate`: send a `traceparent` header to the upstream.
    - `replay_spans`: spans also for replayed calls, marked `recorder.replayed`.
    - `tracer_provider`, `meter_provider`, `logger_provider` replace OpenTelemetry's global ones.
    """

    otel: Otel
    semconv: Semconv
    content: bool | str | None
    content_limit: int
    cost_attribute: str | None
    propagate: bool
    replay_spans: bool
    tracer_provider: TracerProvider | None
    meter_provider: MeterProvider | None
    logger_provider: Any


class TelemetrySettings(Struct, frozen=True):
    """All options, with their defaults; made by `telemetry_settings`."""

    otel: Otel = "auto"
    semconv: Semconv = "1.41"
    content: Content = Content()
    content_limit: int = CONTENT_LIMIT
    cost_attribute: str | None = None
    propagate: bool = False
    replay_spans: bool = False
    tracer_provider: Any = None
    meter_provider: Any = None
    logger_provider: Any = None

    @property
    def names(self) -> Names:
        """What things are called."""
        return NAMES[self.semconv]


def cassette_telemetry(tracer_provider: TracerProvider) -> TelemetrySettings:
    """Spans alone, of replayed calls too: for cassettes that have no Recorder."""
    return telemetry_settings(
        {"tracer_provider": tracer_provider, "meter_provider": NoOpMeterProvider(), "replay_spans": True}
    )


def telemetry_settings(
    options: TelemetryOptions, environment: Mapping[str, str] | None = None
) -> TelemetrySettings:
    """The options, completed by the environment and checked. Raises SettingsError for what cannot be used."""
    environment = os.environ if environment is None else environment
    given: dict[str, Any] = dict(options)
    if unknown := sorted(given.keys() - set(TelemetrySettings.__struct_fields__)):
        raise SettingsError(f"{unknown[0]} is no option of a Recorder")
    for name, allowed in (("otel", Otel), ("semconv", Semconv)):
        variable = f"RECORDER_{name.upper()}"
        if name in given:
            check_choice(name, given[name], allowed)
        elif said := environment.get(variable, "").strip().lower():
            check_choice(f"${variable}", said, allowed)
            given[name] = said
    given["content"] = content_of(given.get("content"), environment)
    settings = TelemetrySettings(**given)
    check_values(settings)
    return settings
