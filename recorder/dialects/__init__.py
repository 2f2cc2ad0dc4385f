"""Dialects: they read the meaning of a request and of its answer."""

from __future__ import annotations

from .chat import UsageFilter, ask_usage
from .dialect import Dialect
from .envelope import attempt_number
from .event_streams import is_stream
from .providers import provider_for
from .selection import SIGNIFICANT_HEADERS, dialect_for, dialect_named

__all__ = [
    "SIGNIFICANT_HEADERS",
    "Dialect",
    "UsageFilter",
    "ask_usage",
    "attempt_number",
    "dialect_for",
    "dialect_named",
    "is_stream",
    "provider_for",
]
