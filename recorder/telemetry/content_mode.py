"""Whether messages go onto spans and events: the setting, above the conventions' environment variables."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final, Literal, get_args

from msgspec import Struct

from ..errors import SettingsError

ContentMode = Literal["NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"]

CAPTURE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
EMIT: Final = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"

_MODES: Final = get_args(ContentMode)
_LEGACY: Final[dict[str, ContentMode]] = {"true": "SPAN_AND_EVENT", "false": "NO_CONTENT"}
_EVENTS: Final = ("EVENT_ONLY", "SPAN_AND_EVENT")

_logger = logging.getLogger("recorder")


class Content(Struct, frozen=True):
    """What carries messages, and whether there are events at all (which may go without messages)."""

    on_spans: bool = False
    on_events: bool = False
    events: bool = False

    @property
    def wanted(self) -> bool:
        """Whether anything carries messages."""
        return self.on_spans or self.on_events


def content_of(setting: bool | str | None, environment: Mapping[str, str]) -> Content:
    """What a Recorder's setting says, or without one the environment.

    True stands for SPAN_AND_EVENT and False for NO_CONTENT. Raises SettingsError for a setting that is no mode;
    a variable that is none is warned of, and nothing is captured.
    """
    if setting is not None:
        return _content(_read_setting(setting))
    mode = _read_variable(environment.get(CAPTURE, ""))
    emit = environment.get(EMIT, "").strip().lower()
    if emit not in ("", "true", "false"):
        _logger.warning("%s=%r is neither true nor false; the content mode decides", EMIT, emit)
    return _content(mode, {"true": True, "false": False}.get(emit))


def _content(mode: ContentMode, emit: bool | None = None) -> Content:
    events = mode in _EVENTS if emit is None else emit
    return Content(
        on_spans=mode in ("SPAN_ONLY", "SPAN_AND_EVENT"),
        on_events=events and mode in _EVENTS,
        events=events,
    )


def _read_setting(setting: bool | str) -> ContentMode:
    name = str(setting).strip()
    mode = _LEGACY.get(name.lower()) or _mode(name)
    if mode is None:
        raise SettingsError(
            f"content={setting!r} is not known; it is True, False or one of {', '.join(_MODES)}"
        )
    return mode


def _read_variable(value: str) -> ContentMode:
    name = value.strip()
    if not name:
        return "NO_CONTENT"
    if name.lower() == "true":
        _logger.warning(
            "%s=%s is the old way to say it: messages go onto spans and events, as with SPAN_AND_EVENT; "
            "the modes are %s",
            CAPTURE,
            value,
            ", ".join(_MODES),
        )
    mode = _LEGACY.get(name.lower()) or _mode(name)
    if mode is None:
        _logger.warning("%s=%r is not known, so no messages are captured", CAPTURE, value)
    return mode or "NO_CONTENT"


def _mode(name: str) -> ContentMode | None:
    return next((mode for mode in _MODES if mode == name.upper()), None)
