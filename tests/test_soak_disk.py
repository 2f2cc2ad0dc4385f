"""Disks that are full or cannot be written: calls wait, what cannot be kept is counted, and all goes on afterwards."""

from __future__ import annotations

import logging
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import recorder
from recorder.errors import StoreError
from recorder.ledger import Retention, Store
from recorder.ledger.upgrading import make_current
from recorder.ledger.url import sqlite_path

from .accounting import call, client_of, settle_account
from .ledger_calls import a_call, store_calls
from .test_cli import invoke
from .test_journal import leave_behind
from .test_ledger_writer import as_plain_user

WHERE = (*(pytest.param(each, marks=pytest.mark.soak) for each in ("store", "journal")), "both")


class Disk:
    """A small file system of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        """Leave no byte."""
        with (self.path / "ballast").open("ab", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(bytes(65_536))

    def crowd(self) -> None:
        """Leave no room for another file."""
        with suppress(OSError):
            for number in range(1_000):
                (self.path / f"ballast-{number}").touch()

    def free(self) -> None:
        """Give back what was filled."""
        for path in self.path.glob("ballast*"):
            path.unlink()

    def remount(self, option: str) -> None:
        """Mount it again, `ro` or `rw`."""
        subprocess.run(["mount", "-o", f"remount,{option}", self.path], check=True)


@pytest.fixture
def disk() -> Iterator[Disk]:
    if os.geteuid():
        pytest.skip("only root may mount a small disk")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        path = Path(name, "disk")
        path.mkdir()
        options = "size=64m,nr_inodes=40,mode=0777"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"a small disk cannot be mounted: {done.stderr.strip()}")
        yield Disk(path)
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def places(disk: Disk, elsewhere: Path, where: str) -> tuple[str, str]:
    """The URL of the store and the directory of the journal, of which one is on the disk, or both."""
    store = elsewhere if where == "journal" else disk.path
    journal = elsewhere if where == "store" else disk.path
    return f"sqlite:///{store}/calls.db", str(journal / "journal")


def shut(rec: recorder.Recorder) -> None:
    """Have the store opened anew for the next calls."""
    sink = rec._writer._batches.sink
    assert sink is not None
    rec._writer.call_soon(sink.close)


class Caller:
    """Somebody who makes calls and must notice nothing."""

    def __init__(self, rec: recorder.Recorder) -> None:
        self.made: list[str] = []
        self._client = client_of(rec)

    def call(self, number: int) -> None:
        """Make so many calls, which do not raise."""
        for _ in range(number):
            name = f"c-{len(self.made)}"
            call(self._client, name)
            self.made.append(name)


def said(caplog: pytest.LogCaptureFixture, *, outages: int = 1) -> Counter[str]:
    """All warnings, each once in an outage."""
    found = Counter(record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING)
    assert max(found.values(), default=0) <= outages, found
    return found


@pytest.mark.parametrize("calls", [150, pytest.param(5_000, marks=pytest.mark.soak)])
@pytest.mark.parametrize("where", WHERE)
def test_a_full_disk_costs_nothing_when_there_is_room_to_wait(
    disk: Disk, tmp_path: Path, caplog: pytest.LogCaptureFixture, where: str, calls: int
) -> None:
    url, journal = places(disk, tmp_path, where)
    rec = recorder.Recorder(url, journal=journal)
    caller = Caller(rec)
    caller.call(20)
    assert rec.flush(30)
    for _ in range(3):
        disk.fill()
        caller.call(calls)
        disk.free()
        rec.flush(30)
    caller.call(20)
    assert rec.flush(60)
    assert rec.close()
    assert rec.lost == 0
    assert len(said(caplog, outages=3)) <= 2
    settle_account(url, caller.made)


@pytest.mark.parametrize("where", WHERE)
def test_a_disk_without_room_for_another_file_costs_nothing(
    disk: Disk, tmp_path: Path, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    url, journal = places(disk, tmp_path, where)
    disk.crowd()
    rec = recorder.Recorder(url, journal=journal)
    caller = Caller(rec)
    caller.call(50)
    rec.flush(0.5)
    disk.free()
    assert rec.flush(60)
    assert rec.close()
    assert len(said(caplog)) == 2 if where == "both" else 1
    settle_account(url, caller.made)


@pytest.mark.parametrize("where", WHERE)
def test_what_a_full_disk_costs_is_counted_and_said_once(
    disk: Disk, tmp_path: Path, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    url, journal = places(disk, tmp_path, where)
    rec = recorder.Recorder(url, journal=journal, queue_bytes=150_000)
    caller = Caller(rec)
    caller.call(5)
    assert rec.flush(30)
    if where == "journal":
        rec._writer._pause = lambda failures: 60.0
        os.rename(tmp_path / "calls.db", tmp_path / "calls.away")
        (tmp_path / "calls.db").mkdir()
    disk.fill()
    caller.call(300)
    lost = rec.lost
    assert 0 < lost < 300
    disk.free()
    if where == "journal":
        (tmp_path / "calls.db").rmdir()
        os.rename(tmp_path / "calls.away", tmp_path / "calls.db")
    rec.flush(30)
    caller.call(5)
    assert rec.flush(30)
    rec.close()
    assert sum("are lost" in each or "not stored" in each for each in said(caplog)) <= 2
    assert (rec.lost, Store(url).losses()) == (lost, lost)
    settle_account(url, caller.made, lost=lost)


def test_a_disk_that_can_only_be_read_at_first_gets_everything_later(
    disk: Disk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url, journal = places(disk, tmp_path, "both")
    disk.remount("ro")
    rec = recorder.Recorder(url, journal=journal)
    caller = Caller(rec)
    caller.call(50)
    assert not rec.flush(0.5)
    disk.remount("rw")
    assert rec.flush(60)
    caller.call(50)
    assert rec.close()
    assert len(said(caplog)) == 2
    settle_account(url, caller.made)


def test_a_file_that_can_only_be_read_for_a_while_gets_everything_later(
    disk: Disk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url, journal = places(disk, disk.path, "both")
    make_current(f"sqlite:///{tmp_path}/other.db")  # with imports that a plain user may not be able to do
    with as_plain_user(disk.path):
        rec = recorder.Recorder(url, journal=journal)
        caller = Caller(rec)
        caller.call(5)
        assert rec.flush(30)
        file = Path(sqlite_path(url) or "")
        file.chmod(0o444)
        shut(rec)
        caller.call(50)
        assert not rec.flush(0.5)
        for each in file.parent.glob("calls.db*"):
            each.chmod(0o700 if each.is_dir() else 0o600)
        assert rec.flush(60)
        assert rec.close()
    assert len(said(caplog)) == 1
    settle_account(url, caller.made)


@pytest.mark.parametrize("closed", ["", ".segment", ".live", ".position"])
def test_what_others_left_and_only_they_may_read_holds_up_nobody(
    disk: Disk, caplog: pytest.LogCaptureFixture, closed: str
) -> None:
    url, journal = places(disk, disk.path, "both")
    with as_plain_user(disk.path):
        for _ in range(2):
            leave_behind(url, 3, journal=journal)
    (home,) = Path(journal).iterdir()
    first = sorted(home.glob("*.live"))[0]
    hidden = first.with_suffix(closed) if closed else home
    if closed == ".segment":
        (hidden,) = home.glob(f"{first.stem}.*.segment")
    hidden.touch()
    hidden.chmod(0)
    with as_plain_user(disk.path):
        rec = recorder.Recorder(url, journal=journal)
        caller = Caller(rec)
        caller.call(5)
        assert rec.flush(30)
        assert rec.close()
        assert rec.lost == 0
        assert len(Store(url).calls()) == (8 if closed else 5)
    assert len(said(caplog)) == 1
    hidden.chmod(0o700)
    with recorder.Recorder(url, journal=journal) as rec:
        assert rec.flush(30)
    assert len(Store(url).calls()) == 11


def test_a_store_on_a_full_disk_can_be_read_and_says_why_it_cannot_be_pruned(disk: Disk) -> None:
    url = f"sqlite:///{disk.path}/calls.db"
    store_calls(url, a_call(), a_call())
    disk.fill()
    assert len(Store(url).calls()) == 2
    assert Store(url).check() == []
    retention = Retention(url)
    with pytest.raises(StoreError, match="there is no space left for"):
        retention.prune(retention.plan(2**62))
    disk.free()
    assert retention.prune(retention.plan(2**62)).calls == 2


def test_a_search_on_a_full_disk_says_so_and_what_to_do(disk: Disk) -> None:
    url = f"sqlite:///{disk.path}/calls.db"
    store_calls(url, a_call())
    disk.fill()
    failed = invoke("ls", "--store", url, "--search", "river")
    assert failed.exit_code == 1
    assert "there is no space left for" in failed.stderr
    assert "recorder db snapshot copy.db --store" in failed.stderr
    assert "cannot be written" not in failed.stderr
    disk.free()
    assert invoke("ls", "--store", url, "--search", "river").exit_code == 0


def test_a_store_on_a_disk_that_can_only_be_read_is_searched_in_what_is_indexed(
    disk: Disk, tmp_path: Path
) -> None:
    url = f"sqlite:///{disk.path}/calls.db"
    store_calls(url, a_call())
    disk.remount("ro")
    failed = invoke("ls", "--store", url, "--search", "river")
    assert failed.exit_code == 1
    assert "not in the index of words yet" in failed.stderr
    assert "cannot be written; allow writing the file" in failed.stderr
    assert invoke("db", "snapshot", str(tmp_path / "copy.db"), "--store", url).exit_code == 0
    assert invoke("ls", "--store", f"sqlite:///{tmp_path}/copy.db", "--search", "river").exit_code == 0
    disk.remount("rw")
    assert invoke("ls", "--store", url, "--search", "river").exit_code == 0
    disk.remount("ro")
    assert "model.test" in invoke("ls", "--store", url, "--search", "river", "--format", "json").stdout
