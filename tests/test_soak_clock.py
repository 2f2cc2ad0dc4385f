"""A clock that jumps: calls keep their own ids and days, are stored, adopted and shown as they were made."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

import recorder
from recorder.ledger import Store
from recorder.ledger.journal import journal_directory
from recorder.ledger.journal.draining import Draining
from recorder.ledger.journal.status import condition

from .accounting import call, client_of, settle_account
from .databases import execute
from .test_cli import invoke
from .test_journal import leave_behind

HOUR_NS = 3_600 * 10**9
ODD = [
    0,
    3_991_680_000,
    *(pytest.param(each, marks=pytest.mark.soak) for each in (946_684_800, 2_147_483_653)),
]


class Clock:
    """A clock that somebody sets, again and again."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._now_ns = time.time_ns()
        self.reads = 0

    def time_ns(self) -> int:
        """What it shows; now and then it is set before that, by hours in either direction."""
        self.reads += 1
        self._now_ns += self._dice.choice((1_000, 1_000_000, *(n * HOUR_NS for n in (-30, -5, -1, 1, 7, 28))))
        return self._now_ns


@pytest.mark.parametrize("calls", [60, pytest.param(3_000, marks=pytest.mark.soak)])
def test_a_clock_that_jumps_costs_nothing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    journal = str(tmp_path / "journal")
    clock = Clock(random.Random(5))
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", clock.time_ns)
        with recorder.Recorder(url, journal=journal) as rec:
            client = client_of(rec)
            for number in range(calls):
                call(client, f"c-{number}")
            assert rec.flush(120)
    assert clock.reads >= calls
    settle_account(url, [f"c-{number}" for number in range(calls)])
    rows = Store(url).calls(limit=None)
    assert all(0 <= row["duration_s"] < 60 for row in rows)
    assert [row["started_at"] for row in rows] == sorted((row["started_at"] for row in rows), reverse=True)
    days = Counter(datetime.fromtimestamp(row["started_at"], UTC).date().isoformat() for row in rows)
    assert dict(execute(url, "SELECT day, sum(calls) FROM v_calls_daily GROUP BY day")) == days
    arrived = [row["request_model"] for row in Store(url).calls(limit=None, newest_first=False, after_seq=0)]
    assert arrived == [f"c-{number}" for number in range(calls)]


@pytest.mark.parametrize("second", ODD)
def test_a_clock_that_was_never_set_or_runs_ahead_costs_nothing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: int
) -> None:
    journal = str(tmp_path / "journal")
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: second * 10**9 + 1_000)
        leave_behind(url, 2, journal=journal)
        with recorder.Recorder(url, journal=journal) as rec:
            client = client_of(rec)
            for number in range(3):
                call(client, f"c-{number}")
            assert rec.flush(60)
    assert [row["started_at"] for row in Store(url).calls()] == [second + 1e-6] * 5
    assert Store(url).check() == []
    assert f"{datetime.fromtimestamp(second, UTC):%Y}" in invoke("ls", "--store", url).stdout
    assert "5" in invoke("report", "--store", url).stdout


@pytest.mark.parametrize("hours", [-48, 48])
def test_what_another_clock_wrote_is_adopted_and_its_age_is_no_nonsense(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    journal = str(tmp_path / "journal")
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: int(time.time() * 1e9) + hours * HOUR_NS)
        leave_behind(sqlite_url, 3, journal=journal)
    status = invoke("db", "status", "--store", sqlite_url, "--journal", journal).stdout
    age = f"the oldest for {172_800 if hours < 0 else 0}"
    assert age[:-2] in status
    directory = journal_directory(sqlite_url, journal)
    assert directory is not None
    draining = Draining(sqlite_url, directory)
    assert draining.run(60)
    assert draining.close()
    assert (condition(directory).records, len(Store(sqlite_url).calls())) == (0, 3)
