"""What suites keep that were written for pytest-recording, where no plugin is installed that has it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import pytest

_PLUGINS = {"pytest-recording", "pytest-vcr", "cassetter"}
_MARKERS = (
    "vcr: of pytest-recording, which is not installed; change it to `recorded`",
    "default_cassette(name): of pytest-recording; `recorded` plays this cassette of vcrpy's format",
    "block_network(allowed_hosts=…): of pytest-recording; lets this test connect to no other machine",
    "allowed_hosts(hosts): of pytest-recording; hosts that a test with `block_network` may connect to",
)
_ALONE = pytest.StashKey[bool]()


def add_markers(config: pytest.Config) -> None:
    """Register pytest-recording's markers, for suites that are strict about markers."""
    found = {distribution.project_name for _, distribution in config.pluginmanager.list_plugin_distinfo()}
    config.stash[_ALONE] = not found & _PLUGINS
    if config.stash[_ALONE]:
        for line in _MARKERS:
            config.addinivalue_line("markers", line)


def allowed_hosts(item: pytest.Item) -> Sequence[str] | None:
    """The hosts to which a test may connect that has pytest-recording's marker; None where it may to any."""
    marker = item.get_closest_marker("block_network")
    if marker is None or not item.config.stash[_ALONE]:
        return None
    allowed = marker.kwargs.get("allowed_hosts")
    if allowed is None and (named := item.get_closest_marker("allowed_hosts")) is not None:
        allowed = named.args[0] if named.args else ()
    return [allowed] if isinstance(allowed, str) else [*(allowed or ())]


def refused(text: str) -> RuntimeError:
    """What pytest-recording raises, which tests expect, and may catch."""
    return RuntimeError(f"Network is disabled: {text}")


def add_hook(plugins: pytest.PytestPluginManager) -> None:
    """Let a suite's conftest have pytest-recording's hook."""
    if not hasattr(plugins.hook, pytest_recording_configure.__name__):
        plugins.add_hookspecs(sys.modules[__name__])


def pytest_recording_configure(config: pytest.Config, vcr: Any) -> None:
    """Register matchers and serializers at `vcr`, for cassettes in vcrpy's format."""
