"""What pytest's objects keep of ours while a suite runs."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from .running import Running
from .suite import Suite

SUITE = pytest.StashKey[Suite]()
RUNNING = pytest.StashKey[Running]()
REFUSED = pytest.StashKey[list[str]]()
NETWORK = pytest.StashKey[ExitStack]()
SHUT = pytest.StashKey[ExitStack]()


def new_misses(item: pytest.Item) -> list[str]:
    """What has missed since this was last asked, and connections that were refused."""
    refused = item.stash.get(REFUSED, [])
    texts = refused[:]
    refused.clear()
    if (running := item.stash.get(RUNNING, None)) is not None and (missed := running.missed()):
        texts += missed
    return texts


def is_worker(config: pytest.Config) -> bool:
    """Whether this process runs tests for another one, by pytest-xdist."""
    return hasattr(config, "workerinput")
