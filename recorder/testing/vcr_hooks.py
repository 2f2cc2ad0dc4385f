"""What suites keep that were written for pytest-recording, where no plugin is installed that has it."""

from __future__ import annotations

import sys
from typing import Any

import pytest

_PLUGINS = {"pytest-recording", "pytest-vcr", "cassetter"}
_MARKERS = (
    "vcr: of pytest-recording, which is not installed; change it to `recorded`",
    "default_cassette(name): of pytest-recording; `recorded` plays this cassette of vcrpy's format",
    "block_network: of pytest-recording, which is not installed; --recorder-block-network does it",
    "allowed_hosts(hosts): of pytest-recording, which is not installed; --recorder-block-network=HOSTS does it",
)


def add_markers(config: pytest.Config) -> None:
    """Register pytest-recording's markers, for suites that are strict about markers."""
    found = {distribution.project_name for _, distribution in config.pluginmanager.list_plugin_distinfo()}
    if not found & _PLUGINS:
        for line in _MARKERS:
            config.addinivalue_line("markers", line)


def add_hook(plugins: pytest.PytestPluginManager) -> None:
    """Let a suite's conftest have pytest-recording's hook."""
    if not hasattr(plugins.hook, pytest_recording_configure.__name__):
        plugins.add_hookspecs(sys.modules[__name__])


def pytest_recording_configure(config: pytest.Config, vcr: Any) -> None:
    """Register matchers and serializers at `vcr`, for cassettes in vcrpy's format."""
