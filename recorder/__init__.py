"""A flight recorder for LLM calls: wrap a client, read its calls, replay them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .cassette_context import Cassette
    from .errors import (
        CallNotFound,
        CassetteError,
        CassetteMiss,
        CassetteMissing,
        MissingExtra,
        RecorderError,
        RecorderWarning,
        SettingsError,
        StoreError,
        StoreNotFound,
        StoreOutdated,
        StoreTooNew,
        WrapError,
    )
    from .file_cassette import cassette
    from .interchange import VCR, vcr_cassette
    from .pausing import pause
    from .recorder import Recorder
    from .settings import RedactionRules
    from .tagging import tags

__all__ = [
    "VCR",
    "CallNotFound",
    "Cassette",
    "CassetteError",
    "CassetteMiss",
    "CassetteMissing",
    "MissingExtra",
    "Recorder",
    "RecorderError",
    "RecorderWarning",
    "RedactionRules",
    "SettingsError",
    "StoreError",
    "StoreNotFound",
    "StoreOutdated",
    "StoreTooNew",
    "WrapError",
    "__version__",
    "cassette",
    "pause",
    "tags",
    "vcr_cassette",
]

_HOMES = {
    "VCR": "interchange",
    "Cassette": "cassette_context",
    "Recorder": "recorder",
    "RedactionRules": "settings",
    "cassette": "file_cassette",
    "pause": "pausing",
    "tags": "tagging",
    "vcr_cassette": "interchange",
}


def __getattr__(name: str) -> Any:
    """Resolve public names on first use (PEP 562), so that importing recorder imports nothing heavy."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES.get(name, 'errors')}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
