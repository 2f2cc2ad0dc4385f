"""Whether options about OpenTelemetry can be used, said when a Recorder is made and not with its first call."""

from __future__ import annotations

import re
from typing import Any, Final, Protocol, get_args

from ..errors import SettingsError

_NAME: Final = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)*\Z", re.ASCII)
_TAKEN: Final = re.compile(
    r"(error|http|recorder|server|session|user|openai)\.|gen_ai\.(?!usage\.)|gen_ai\.usage\..*_tokens\Z"
)
_PROVIDERS: Final = (
    ("tracer_provider", "get_tracer", "TracerProvider()"),
    ("meter_provider", "get_meter", "MeterProvider([…])"),
    ("logger_provider", "get_logger", "LoggerProvider()"),
)


class Checked(Protocol):
    """The options that are checked by their values alone."""

    @property
    def content_limit(self) -> int: ...

    @property
    def cost_attribute(self) -> str | None: ...

    @property
    def propagate(self) -> bool: ...

    @property
    def replay_spans(self) -> bool: ...


def check_choice(name: str, value: Any, allowed: Any) -> None:
    """Raise SettingsError for what is none of a Literal's values."""
    if value not in (choices := get_args(allowed)):
        raise SettingsError(f"{name}={value!r} is not known; it is one of {', '.join(choices)}")


def check_values(settings: Checked) -> None:
    """Raise SettingsError for values that cannot be used."""
    for name in ("propagate", "replay_spans"):
        if type(value := getattr(settings, name)) is not bool:
            raise SettingsError(f"{name}={value!r} is neither True nor False")
    if type(settings.content_limit) is not int or settings.content_limit < 1:
        raise SettingsError(
            f"content_limit={settings.content_limit!r} is no number of characters, at least 1"
        )
    for name, method, example in _PROVIDERS:
        value = getattr(settings, name)
        if value is not None and (isinstance(value, type) or not callable(getattr(value, method, None))):
            raise SettingsError(
                f"{name}={value!r} has no {method}(); give one of OpenTelemetry's, such as {example}"
            )
    if settings.cost_attribute is not None:
        _check_cost_attribute(settings.cost_attribute)


def _check_cost_attribute(name: Any) -> None:
    if not isinstance(name, str) or not _NAME.match(name):
        raise SettingsError(
            f"cost_attribute={name!r} is no name of an attribute; it is one such as 'gen_ai.usage.cost'"
        )
    if _TAKEN.match(name):
        raise SettingsError(
            f"cost_attribute={name!r} is an attribute that means something else; try 'gen_ai.usage.cost'"
        )
