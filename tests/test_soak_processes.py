"""Processes that begin and end in every way: what their callers got is stored, once."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import recorder
from recorder.ledger import Store

from .accounting import settle_account
from .fleet import Fleet

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def live(fleet: Fleet, url: str, journal: Path, name: str, *arguments: str) -> tuple[list[str], int, str]:
    """Let a program of `lives` run; what it told, how it ended, and what was said to it."""
    life = fleet.python("-m", "tests.lives", name, url, *arguments, RECORDER_JOURNAL=str(journal))
    stdout, stderr = life.process.communicate(timeout=300)
    return stdout.split(), life.process.returncode, stderr


def settle(url: str, journal: Path, told: list[str], extra: int = 0) -> None:
    """Let the next process store what was left, and compare."""
    with recorder.Recorder(url, journal=journal) as rec:
        assert rec.flush(120)
        assert rec.lost == 0
    settle_account(url, told, extra=extra)
    assert Store(url).losses() == 0
    assert list(journal.glob("*")) == []


@pytest.mark.parametrize(
    ("name", "status", "extra"),
    [
        pytest.param("spawned", 0, 0, marks=pytest.mark.soak),
        ("in_flight", 0, 3),
        pytest.param("leaving_threads", 0, 0, marks=pytest.mark.soak),
        ("torn_off", 0, 0),
        pytest.param("terminated", -signal.SIGTERM, 0, marks=pytest.mark.soak),
        pytest.param("raised", 1, 0, marks=pytest.mark.soak),
        pytest.param("replaced", 0, 0, marks=pytest.mark.soak),
        pytest.param("two", 0, 0, marks=pytest.mark.soak),
    ],
)
def test_a_process_may_end_as_it_likes(
    fleet: Fleet, sqlite_url: str, tmp_path: Path, name: str, status: int, extra: int
) -> None:
    told, ended, said = live(fleet, sqlite_url, tmp_path / "journal", name)
    assert ended == status, said
    assert "recorder" not in said.replace("tests.lives", "") or name == "raised"
    assert len(told) >= 20
    settle(sqlite_url, tmp_path / "journal", told, extra)


@pytest.mark.soak
@pytest.mark.parametrize("name", ["spawned", "in_flight", "torn_off", "replaced", "two"])
def test_a_process_may_end_as_it_likes_beside_a_server(
    fleet: Fleet, postgres_url: str, tmp_path: Path, name: str
) -> None:
    told, _, _ = live(fleet, postgres_url, tmp_path / "journal", name)
    settle(postgres_url, tmp_path / "journal", told, extra=3)


@pytest.mark.parametrize("rounds", [4, pytest.param(150, marks=pytest.mark.soak)])
def test_workers_that_end_and_are_replaced_lose_nothing(
    fleet: Fleet, sqlite_url: str, tmp_path: Path, rounds: int
) -> None:
    told, ended, said = live(fleet, sqlite_url, tmp_path / "journal", "prefork", str(rounds))
    assert ended == 0, said
    settle(sqlite_url, tmp_path / "journal", told, extra=rounds + 3)
    print(f"{len(told):,} calls of {rounds + 3} workers are stored")
