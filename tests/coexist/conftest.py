"""What the suites share: where their upstream is."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def url() -> str:
    return os.environ["UPSTREAM"]
