"""Many processes on one store while others upgrade and read it: exact counts, and nobody hears of a lock."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from recorder.ledger import Store

from .accounting import settle_account
from .fleet import Fleet, Process, Ship

READS = (
    ("ls", "--format", "json"),
    ("db", "prune", "--older-than", "90d", "--yes"),
    ("report", "--format", "json"),
    ("db", "status", "--format", "json"),
    ("db", "check"),
    ("ls", "--model", "p0-1"),
)
LARGE = {"sqlite": (4, 5_000), "postgresql": (8, 10_000)}


def finish(process: Process) -> None:
    """Fail where a command failed, or said anything about locks."""
    assert "lock" not in process.finish(300) + process.stderr


def read_on(url: str, fleet: Fleet, ships: list[Ship]) -> int:
    """Read as people would, until all ships are done; how often."""
    times = 0
    tail = fleet.command("tail", "--store", url)
    while times < 3 or any(ship.running for ship in ships):
        finish(fleet.command(*READS[times % len(READS)], "--store", url))
        times += 1
    assert tail.running
    assert "lock" not in tail.end_by(signal.SIGINT) + tail.stderr
    return times


def write_all(fleet: Fleet, url: str, directory: Path, processes: int, number: int) -> None:
    """Ships begin with an upgrade each, make their calls, and all are counted."""
    upgrades = [fleet.command("db", "upgrade", "--store", url) for _ in range(processes)]
    ships = [fleet.ship(url, f"p{n}", calls=number, journal=str(directory)) for n in range(processes)]
    finish(upgrades[0])
    reads = read_on(url, fleet, ships)
    for upgrade in upgrades[1:]:
        finish(upgrade)
    told = [ship.tell(600) for ship in ships]
    assert [ship.stderr for ship in ships] == [""] * processes
    assert [(len(each.made), each.closed, each.lost) for each in told] == [(number, True, 0)] * processes
    settle_account(url, [name for each in told for name in each.made])
    assert Store(url).losses() == 0
    assert not list(directory.rglob("*.segment"))
    print(f"{processes} x {number:,} calls are stored while {reads} commands read them")


def test_many_processes_share_a_store_with_its_readers(fleet: Fleet, sqlite_url: str, tmp_path: Path) -> None:
    write_all(fleet, sqlite_url, tmp_path / "journal", 2, 400)


@pytest.mark.soak
@pytest.mark.usefixtures("absent")
def test_thousands_of_calls_of_many_processes_are_counted_exactly(
    fleet: Fleet, url: str, tmp_path: Path
) -> None:
    write_all(fleet, url, tmp_path / "journal", *LARGE[url.partition(":")[0]])
