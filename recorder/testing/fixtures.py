"""The fixtures that tests ask for by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from ..errors import RecorderError
from . import vcr_hooks
from .kept import NETWORK, RUNNING, SHUT, SUITE, is_worker, new_misses
from .opening import Refused
from .span_memory import span_memory

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from ..cassette_context import Cassette


@pytest.fixture(scope="session")
def recorder_config() -> dict[str, Any]:
    """Keywords for every cassette of the tests that see this; override it, in any scope."""
    return {}


@pytest.fixture
def recorded(request: pytest.FixtureRequest, recorder_config: dict[str, Any]) -> Iterator[Cassette]:
    """The cassette of this test, in use until the test ends."""
    suite = request.config.stash[SUITE]
    wrong = ""
    if suite.options.vcr.disable_recording:
        pytest.fail(
            "recorder: --disable-recording gives no test a cassette, and this one asks for its own",
            pytrace=False,
        )
    try:
        running = suite.open(request, recorder_config)
    except RecorderError as error:
        wrong = str(error)
        if isinstance(error, Refused):
            suite.refused = f"{request.node.nodeid}: {error}"
    if suite.refused and not is_worker(request.config):
        pytest.exit(suite.refused, returncode=pytest.ExitCode.USAGE_ERROR)
    if wrong:
        pytest.fail(wrong, pytrace=False)
    request.node.stash[RUNNING] = running
    if running.mode.value != "none":
        for key in (NETWORK, SHUT):
            if (network := request.node.stash.get(key, None)) is not None:
                network.close()  # it is to be recorded
    yield running.cassette
    running.leave()
    if texts := new_misses(request.node):
        pytest.fail("\n\n".join(texts), pytrace=False)


@pytest.fixture
def _network_shut(request: pytest.FixtureRequest) -> Iterator[None]:
    """What pytest-recording's marker and option `block_network` ask for, this machine included."""
    from ..adapters.network import block_network  # heavy, and wanted on demand only

    allowed = vcr_hooks.allowed_hosts(request.node) or ()
    with ExitStack() as network:
        network.enter_context(block_network(allowed, error=vcr_hooks.refused, this_machine=False))
        request.node.stash[SHUT] = network
        yield


@pytest.fixture
def recorded_spans() -> InMemorySpanExporter:
    """The spans of the calls that this test's cassette replays or records; see `recorded.assert_spans`."""
    return span_memory()
