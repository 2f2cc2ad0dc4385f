"""The hook of pytest-recording, defined where that plugin is not installed."""

from __future__ import annotations

from typing import Any

import pytest


def pytest_recording_configure(config: pytest.Config, vcr: Any) -> None:
    """Register matchers and serializers at `vcr`, for cassettes in vcrpy's format."""
