"""The options of pytest-recording, for suites that have left it and still have them, as in `addopts`."""

from __future__ import annotations

import argparse
from copy import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from .precedence import MODES

_OPTIONS: dict[str, dict[str, Any]] = {
    "--record-mode": {"choices": MODES, "default": None},
    "--block-network": {"action": "store_true", "default": False},
    "--allowed-hosts": {"default": None},
    "--disable-recording": {"action": "store_true", "default": False},
}
_WITH_VALUE = ("--record-mode", "--allowed-hosts")
_TAKEN = pytest.StashKey[frozenset[str]]()


@dataclass(frozen=True, slots=True)
class VcrOptions:
    """What these options say; `disable_recording` is whether no test has a cassette."""

    mode: str | None = None
    block_network: bool = False
    allowed_hosts: str | None = None
    disable_recording: bool = False


def take_for_no_paths(config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Until `offer` is called nobody knows these options, and what stands after one with a blank looks like a path.

    Then `testpaths` would count as overruled, and the conftests there would come too late for options of their own.
    """
    values = [(name, value) for name, value in pairwise(args) if name in _WITH_VALUE]
    if not values:
        return
    known = config.known_args_namespace
    _, unknown = parser.parse_known_and_unknown_args(args, copy(known))
    paths = [*known.file_or_dir]
    for name, value in values:
        if name in unknown and value in paths and (name != "--record-mode" or value in MODES):
            paths.remove(value)
    known.file_or_dir = paths


def offer(config: pytest.Config, parser: pytest.Parser) -> None:
    """Add those that nobody else has; when every plugin and conftest that may have some of its own is loaded.

    Help does not show them: they are not for new suites.
    """
    group, taken = parser.getgroup("recorder"), set()
    for name, details in _OPTIONS.items():
        try:
            group.addoption(name, help=argparse.SUPPRESS, **details)
            taken.add(name)
        except (ValueError, argparse.ArgumentError):  # a conftest's own, or one of another plugin
            continue
    config.stash[_TAKEN] = frozenset(taken)


def read(config: pytest.Config) -> VcrOptions:
    """What they say in this run, as far as they are ours."""
    taken = config.stash.get(_TAKEN, frozenset())
    said = {name: config.getoption(name) for name in _OPTIONS if name in taken}
    return VcrOptions(
        mode=said.get("--record-mode"),
        block_network=said.get("--block-network", False),
        allowed_hosts=said.get("--allowed-hosts"),
        disable_recording=said.get("--disable-recording", False),
    )
