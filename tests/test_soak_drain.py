"""Stores that move, go away, come late or are of another version, and drains of other processes beside recorders."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import recorder
from recorder.ledger import Store, schema
from recorder.ledger.upgrading import make_current

from .accounting import call, client_of, settle_account
from .databases import OwnServer, execute
from .fleet import Fleet


def make(rec: recorder.Recorder, name: str, number: int) -> list[str]:
    """Make calls; their names."""
    client = client_of(rec)
    names = [f"{name}-{each}" for each in range(number)]
    for each in names:
        call(client, each)
    return names


def status(fleet: Fleet, url: str, journal: Path) -> dict[str, Any]:
    """What `recorder db status` says now."""
    command = ("db", "status", "--store", url, "--journal", str(journal), "--format", "json")
    found: dict[str, Any] = json.loads(fleet.command(*command).finish())
    return found


def wait_until(found: Callable[[], bool]) -> None:
    """Ask until it is so."""
    until = time.monotonic() + 120
    while not found():
        assert time.monotonic() < until
        time.sleep(0.05)


def stored(url: str) -> int:
    ((number,),) = execute(url, "SELECT count(*) FROM calls")
    return int(number)


@pytest.mark.soak
@pytest.mark.parametrize("number", [60, 5_000])
@pytest.mark.parametrize("before", [True, False])
def test_calls_are_stored_by_drains_of_others_one_or_two(
    fleet: Fleet, url: str, tmp_path: Path, number: int, before: bool
) -> None:
    make_current(url)
    watch = ("drain", "--watch", "--store", url, "--journal", str(tmp_path))
    drains = [fleet.command(*watch)] if before else []
    ships = [
        fleet.ship(url, f"p{n}", calls=number, journal=str(tmp_path), drain="external") for n in range(2)
    ]
    if not before:
        told = [ship.tell() for ship in ships]
        assert status(fleet, url, tmp_path)["records"] == 2 * number
    drains.append(fleet.command(*watch))
    wait_until(lambda: stored(url) == 2 * number)
    if before:
        told = [ship.tell() for ship in ships]
    for drain in drains:
        assert "stored in" in drain.end_by(signal.SIGINT), drain.stderr
        assert "Traceback" not in drain.stderr
    found = status(fleet, url, tmp_path)
    assert (found["records"], found["lost"], found["oldest_s"]) == (0, 0, None)
    settle_account(url, [name for each in told for name in each.made])


@pytest.mark.parametrize("moved", ["calls.db", "calls.db*"])
def test_a_store_that_is_moved_away_keeps_what_it_has(sqlite_url: str, tmp_path: Path, moved: str) -> None:
    away = tmp_path / "away"
    away.mkdir()
    with recorder.Recorder(sqlite_url, journal=tmp_path / "journal") as rec:
        first = make(rec, "first", 30)
        assert rec.flush(60)
        for path in tmp_path.glob(moved):
            path.rename(away / path.name)
        second = make(rec, "second", 30)
        assert rec.flush(60)
    settle_account(f"sqlite:///{away}/calls.db", first)
    settle_account(sqlite_url, second)


@pytest.mark.soak
def test_a_server_that_is_away_comes_and_goes_gets_everything(
    fleet: Fleet, own_server: OwnServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with own_server.database() as url:
        own_server.kill()
        rec = recorder.Recorder(url, journal=tmp_path)
        rec._writer._pause = lambda failures: 0.05
        made = make(rec, "away", 30)
        assert not rec.flush(0.3)
        found = status(fleet, url, tmp_path)
        assert (found["records"], found["lost"]) == (30, None)
        assert found["oldest_s"] >= 0
        own_server.start()
        assert rec.flush(60)
        for turn in range(2):
            own_server.kill()
            made += make(rec, f"gone-{turn}", 30)
            own_server.start()
            made += make(rec, f"back-{turn}", 30)
        assert rec.close(60)
        assert rec.lost == 0
        settle_account(url, made)
    assert caplog.text.count("calls wait to be stored") <= 3


@pytest.mark.parametrize("version", ["0003", pytest.param("9999", marks=pytest.mark.soak)])
def test_a_store_of_another_version_gets_everything_when_it_is_right(
    fleet: Fleet, postgres_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, version: str
) -> None:
    make_current(postgres_url)
    execute(postgres_url, f"UPDATE {schema.VERSION_TABLE} SET version_num = ?", version)
    rec = recorder.Recorder(postgres_url, journal=tmp_path)
    made = make(rec, "c", 20)
    assert not rec.flush(60)
    found = status(fleet, postgres_url, tmp_path)
    assert (found["records"], found["lost"]) == (20, None)
    assert ("recorder db upgrade" if version < schema.HEAD else "newer recorder") in caplog.text
    execute(postgres_url, f"UPDATE {schema.VERSION_TABLE} SET version_num = ?", schema.HEAD)
    assert rec.flush(60)
    assert rec.close()
    settle_account(postgres_url, made)
    assert Store(postgres_url).losses() == 0
