"""Dialects: they read the meaning of a request and of its answer."""

from __future__ import annotations

from .dialect import Dialect
from .providers import provider_for
from .selection import SIGNIFICANT_HEADERS, dialect_for
from .usage_on_request import UsageFilter, ask_usage

__all__ = ["SIGNIFICANT_HEADERS", "Dialect", "UsageFilter", "ask_usage", "dialect_for", "provider_for"]
