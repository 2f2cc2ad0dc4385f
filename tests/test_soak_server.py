"""A server that ends in every way while processes record: all that their callers got is there when it is back."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder.ledger import Store
from recorder.ledger.database import open_database
from recorder.ledger.schema import ensure

from .accounting import settle_account
from .databases import OwnServer, execute
from .fleet import Fleet

WAYS: tuple[Callable[[OwnServer], None], ...] = (
    lambda server: server.kill(),
    lambda server: server.end_by(signal.SIGKILL),
    lambda server: server.end_by(signal.SIGQUIT),  # pg_ctl stop -m immediate
    lambda server: server.end_by(signal.SIGKILL, part=True),
    lambda server: server.end_by(signal.SIGINT),  # pg_ctl stop -m fast
)


def wait_for_more(url: str, than: int) -> int:
    """Wait until more calls are stored; how many are."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        ((found,),) = execute(url, "SELECT count(*) FROM calls")
        if found > than:
            return int(found)
        time.sleep(0.01)
    raise AssertionError(f"nothing was stored after the first {than} calls")


@pytest.mark.parametrize(("times", "ships"), [(1, 1), pytest.param(20, 4, marks=pytest.mark.soak)])
def test_a_server_that_ends_under_load_costs_nothing(
    own_server: OwnServer, fleet: Fleet, tmp_path: Path, times: int, ships: int
) -> None:
    dice, stored = random.Random(4), 0
    with own_server.database() as url:
        ensure(database := open_database(url))
        database.close()
        recording = [fleet.ship(url, f"p{n}", pause_s=0.002, journal=str(tmp_path)) for n in range(ships)]
        for turn in range(times):
            stored = wait_for_more(url, stored)
            time.sleep(dice.uniform(0, 0.3))
            WAYS[turn % len(WAYS)](own_server)
            time.sleep(dice.uniform(0, 0.3))
            own_server.start()
        told = [ship.tell() for ship in recording]
        made = [name for each in told for name in each.made]
        assert [(each.closed, each.lost) for each in told] == [(True, 0)] * ships
        settle_account(url, made)
        assert Store(url).losses() == 0
    assert not list(tmp_path.rglob("*.segment"))
    print(f"{len(made):,} calls of {ships} processes are stored by a server that ended {times} times")
