"""The fixtures of pytest-recording, for suites that have left it and still ask for them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from .names import foreign_file_name
from .options import read

if TYPE_CHECKING:
    from ..interchange.vcr_view import VcrView

NAMES = frozenset(
    (
        *("vcr", "vcr_config", "vcr_cassette_dir", "vcr_markers"),
        *("default_cassette_name", "record_mode", "disable_recording"),
    )
)


@pytest.fixture
def vcr(request: pytest.FixtureRequest) -> VcrView | None:
    """The cassette of a test that is marked to have one."""
    if request.node.get_closest_marker("recorded") is None or request.getfixturevalue("disable_recording"):
        return None
    from ..interchange.vcr_view import VcrView  # brings all formats along

    return VcrView(request.getfixturevalue("recorded"))


@pytest.fixture
def vcr_config() -> dict[str, Any]:
    """No options of vcrpy's."""
    return {}


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """The folder of this module's cassettes."""
    return os.path.join(request.path.parent, "cassettes", request.path.stem)


@pytest.fixture
def default_cassette_name(request: pytest.FixtureRequest) -> str:
    """The name of this test's cassette, as a marker has it or as the test is called."""
    marker = request.node.get_closest_marker("default_cassette")
    if marker is not None and marker.args:
        return str(marker.args[0])
    return foreign_file_name(request.node.name, request.cls)


@pytest.fixture
def vcr_markers(request: pytest.FixtureRequest) -> list[pytest.Mark]:
    """The markers that give this test a cassette."""
    return list(request.node.iter_markers("recorded"))


@pytest.fixture(scope="session")
def record_mode(request: pytest.FixtureRequest) -> str:
    """The mode of this run where no test says another; the names of modes are the same."""
    return str(read(request.config).mode().value)


@pytest.fixture(scope="session")
def disable_recording(request: pytest.FixtureRequest) -> bool:
    """Whether no test of this run has a cassette."""
    return read(request.config).vcr.disable_recording
