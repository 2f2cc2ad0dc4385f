"""What suites keep that were written for pytest-recording, where no plugin is installed that has it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest

from . import vcr_fixtures, vcr_options

_PLUGINS = {"pytest-recording", "pytest-vcr", "cassetter"}
_MARKERS = (
    "vcr: of pytest-recording, which is not installed; change it to `recorded`",
    "default_cassette(name): of pytest-recording; `recorded` plays this cassette of vcrpy's format",
    "block_network(allowed_hosts=…): of pytest-recording; lets this test connect to nothing but these hosts",
    "allowed_hosts(hosts): of pytest-recording; hosts that a test with `block_network` may connect to",
)
_ALONE = pytest.StashKey[bool]()


def add_markers(config: pytest.Config) -> None:
    """Register pytest-recording's markers, for suites that are strict about markers."""
    config.stash[_ALONE] = _is_alone(config)
    if config.stash[_ALONE]:
        for line in _MARKERS:
            config.addinivalue_line("markers", line)


def expect_options(config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Find the conftests as if pytest-recording's options were there, which are offered only after these."""
    if _is_alone(config):
        vcr_options.take_for_no_paths(config, parser, args)


def offer_options(config: pytest.Config, parser: pytest.Parser) -> None:
    """Add pytest-recording's options, which suites have in `addopts`."""
    if _is_alone(config):
        vcr_options.offer(config, parser)


def _is_alone(config: pytest.Config) -> bool:
    found = {distribution.project_name for _, distribution in config.pluginmanager.list_plugin_distinfo()}
    return not found & _PLUGINS


def offer_fixtures(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Where tests ask for fixtures of pytest-recording's that nobody has, give them."""
    known = config.pluginmanager.is_registered(vcr_fixtures)
    if config.stash[_ALONE] and not known and any(_lacks_fixture(item) for item in items):
        config.pluginmanager.register(vcr_fixtures)


def _lacks_fixture(item: pytest.Item) -> bool:
    asked = vcr_fixtures.NAMES.intersection(getattr(item, "fixturenames", ()))
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return not asked <= known.keys()


def left_behind(item: pytest.Item) -> str | None:
    """Why a test cannot run whose marker `vcr` nobody reads any more: it would go live without a word."""
    marked = item.get_closest_marker("vcr") is not None and item.get_closest_marker("recorded") is None
    if not marked or not item.config.stash[_ALONE] or vcr_options.read(item.config).disable_recording:
        return None
    fixtures = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {}).get("vcr")
    if fixtures and fixtures[-1].func.__module__ != vcr_fixtures.__name__:
        return None  # the suite's own fixture may read it
    return (
        "recorder: this test is marked `vcr`, which no installed plugin reads, so it would go live; "
        "change the marker to `recorded`, or give --disable-recording"
    )


def blocked(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """The tests with the marker `block_network`, or all with the option of that name.

    Raises UsageError where hosts are named as nobody can read them.
    """
    for item in items:
        try:
            if (hosts := allowed_hosts(item)) is None:
                continue
            for each in hosts:
                re.compile(each)
            yield item
        except (TypeError, re.error) as error:
            raise pytest.UsageError(
                f"{item.nodeid}: block_network or allowed_hosts cannot be read: {error}; give regular expressions for "
                "hosts, as in block_network(allowed_hosts=['127.0.0.1'])"
            ) from None


def allowed_hosts(item: pytest.Item) -> Sequence[str] | None:
    """The hosts to which a test may connect that has pytest-recording's marker or option; None where it may to any.

    As there, a host is one that begins as the expression says, and one text may name several, with commas.
    """
    if not item.config.stash[_ALONE]:
        return None
    marker, asked = item.get_closest_marker("block_network"), vcr_options.read(item.config)
    if marker is None and not asked.block_network:
        return None
    allowed = None if marker is None else _of_marker(marker)
    if allowed is None and (named := item.get_closest_marker("allowed_hosts")) is not None:
        allowed = named.args[0] if named.args else ()
    if allowed is None:
        allowed = asked.allowed_hosts
    each = allowed.split(",") if isinstance(allowed, str) else [*(allowed or ())]
    if not all(isinstance(host, str) for host in each):
        raise TypeError("hosts are texts")
    return [f"(?:{host.strip()}).*" for host in each if host.strip()]


def _of_marker(marker: pytest.Mark) -> Any:
    if marker.args or marker.kwargs.keys() - {"allowed_hosts"}:
        raise TypeError("it takes allowed_hosts=… alone")
    return marker.kwargs.get("allowed_hosts")


def refused(text: str) -> RuntimeError:
    """What pytest-recording raises, which tests expect, and may catch."""
    return RuntimeError(f"Network is disabled: {text}")


def add_hook(plugins: pytest.PytestPluginManager) -> None:
    """Let a suite's conftest have pytest-recording's hook."""
    if not hasattr(plugins.hook, pytest_recording_configure.__name__):
        plugins.add_hookspecs(sys.modules[__name__])


def pytest_recording_configure(config: pytest.Config, vcr: Any) -> None:
    """Register matchers and serializers at `vcr`, for cassettes in vcrpy's format."""
