"""Keeping less: what a store gives up with age or on request, and copies of it."""

from __future__ import annotations

from .retention import Retention

__all__ = ["Retention"]
