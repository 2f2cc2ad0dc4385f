"""Fixtures that many tests share."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.testing
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import recorder
from recorder.call import Call
from recorder.exchange import Exchange

from .databases import Server, made, made_file, made_store, own_server, server
from .drivers import Driver
from .fleet import Fleet
from .otel import Otel
from .plugin_suite import Suite

__all__ = ["made", "made_file", "made_store", "own_server", "server"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell has it for jobs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A command line is made of its functions once, and not for each command that a test runs, which takes as long.
vars(typer.testing)["_get_command"] = cache(typer.main.get_command)

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"


@pytest.fixture(params=[("httpx", False), ("httpx", True), ("httpx2", False), ("httpx2", True)], ids=str)
def driver(request: pytest.FixtureRequest) -> Driver:
    return Driver(*request.param)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite store that is not there yet."""
    return f"sqlite:///{tmp_path}/calls.db"


@pytest.fixture
def made_sqlite_url(sqlite_url: str, made_file: Path) -> str:
    """A SQLite store that has no calls yet."""
    shutil.copyfile(made_file, sqlite_url.removeprefix("sqlite:///"))
    return sqlite_url


@pytest.fixture
def postgres_url(server: Server) -> Iterator[str]:
    """A PostgreSQL store that is not there yet: an empty database."""
    with server.database() as url:
        yield url


@pytest.fixture
def made_postgres_url(server: Server, made_store: str) -> Iterator[str]:
    """A PostgreSQL store that has no calls yet."""
    with server.database(like=made_store) as url:
        yield url


@pytest.fixture
def absent() -> None:
    """What a test asks for whose `url` must be that of a store that is not there yet."""


@pytest.fixture(params=["sqlite", "postgres"], ids=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """A store without calls, of either kind: what uses it runs on both."""
    made = "" if "absent" in request.fixturenames else "made_"
    found: str = request.getfixturevalue(f"{made}{request.param}_url")
    return found


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    fleet = Fleet()
    yield fleet
    fleet.sink()


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(spans: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider


@pytest.fixture
def otel() -> Otel:
    return Otel()


@pytest.fixture
def rec(made_sqlite_url: str, provider: TracerProvider) -> Iterator[recorder.Recorder]:
    """A recorder with a store of its own, spans kept in memory, and failures that fail the test."""
    with recorder.Recorder(made_sqlite_url, tracer_provider=provider, strict=True) as rec:
        yield rec


@pytest.fixture
def records(rec: recorder.Recorder, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Exchange, Call]]:
    """Every (exchange, call) that the recorder's observers get."""
    kept: list[tuple[Exchange, Call]] = []
    recording = rec._recording
    monkeypatch.setattr(
        recording,
        "_observers",
        (*recording._observers, lambda ended: kept.append((ended.exchange, ended.call))),
    )
    return kept


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """A suite for the pytest plugin, with nothing said by the environment; its modules need `pytester`."""
    for name in ("CI", "RECORDER_MODE"):
        monkeypatch.delenv(name, raising=False)
    return Suite(pytester)
