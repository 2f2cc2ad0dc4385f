"""Snapshots: the store as it was at one moment, in one file, or no file at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from recorder.cassettes import Recorded
from recorder.errors import StoreError, StoreNotFound
from recorder.ledger import Retention, Store
from recorder.ledger.writer import Writer

from .databases import execute
from .ledger_calls import a_call, an_exchange, put_calls, store_calls


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies" / "copy.db"


def test_a_copy_is_the_store(url: str, target: Path) -> None:
    calls = [a_call(user_id="\x1aü") for _ in range(700)]
    store_calls(url, *calls)
    store = Store(url)
    store.cassette("kept").save([Recorded(an_exchange(), calls[5].id, 2, 3)])
    steps: list[tuple[int, int]] = []
    size = Retention(url).snapshot(target, lambda *step: steps.append(step))
    copy = Store(f"sqlite:///{target}")
    assert copy.calls(limit=None) == store.calls(limit=None)
    assert copy.exchange(calls[3].id) == an_exchange()
    assert copy.cassette("kept").load() == store.cassette("kept").load()
    assert execute(copy.url, "SELECT * FROM prices ORDER BY id") == execute(
        url, "SELECT * FROM prices ORDER BY id"
    )
    assert copy.check() == []
    assert size == target.stat().st_size
    if not url.startswith("sqlite:"):
        assert steps[-1][0] == steps[-1][1] > 1_400
    store_calls(copy.url, a_call())
    assert len(copy.calls(limit=None)) == 701
    assert len(store.calls(limit=None)) == 700


def test_nothing_but_the_copy_is_left_beside_it(url: str, target: Path) -> None:
    store_calls(url, a_call())
    Retention(url).snapshot(target)
    assert os.listdir(target.parent) == ["copy.db"]


def test_a_copy_made_while_others_write_has_whole_calls(url: str, target: Path) -> None:
    store_calls(url, a_call())
    writer = Writer(url, 64 << 20)
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            put_calls(writer, 20)
            writer.flush(30.0)

    thread = threading.Thread(target=write)
    thread.start()
    copies = []
    try:
        for number in range(3):
            copies.append(target.with_name(f"{number}.db"))
            Retention(url).snapshot(copies[-1])
    finally:
        ended.set()
        thread.join()
    assert writer.close(30.0)
    everything = {call["id"] for call in Store(url).calls(limit=None)}
    for copy in (Store(f"sqlite:///{path}") for path in copies):
        assert copy.check() == []
        assert {call["id"] for call in copy.calls(limit=None)} <= everything
    assert writer.lost == 0


def test_what_is_there_is_replaced_only_when_asked(sqlite_url: str, target: Path) -> None:
    store_calls(sqlite_url, a_call())
    target.write_text("precious")
    with pytest.raises(StoreError, match=r"is there already; .* --force"):
        Retention(sqlite_url).snapshot(target)
    assert target.read_text() == "precious"
    Retention(sqlite_url).snapshot(target, overwrite=True)
    assert len(Store(f"sqlite:///{target}").calls()) == 1


def test_a_place_that_cannot_be_written_is_named(sqlite_url: str, tmp_path: Path, target: Path) -> None:
    store_calls(sqlite_url, a_call())
    for place, said in (
        (tmp_path, "is a directory; name a file in it"),
        (tmp_path / "nowhere" / "copy.db", "nowhere does not exist; create it"),
        (tmp_path / "calls.db", "is the store itself"),
    ):
        with pytest.raises(StoreError, match=said):
            Retention(sqlite_url).snapshot(place, overwrite=True)
    assert len(Store(sqlite_url).calls()) == 1


def test_what_fails_halfway_leaves_nothing(sqlite_url: str, tmp_path: Path, target: Path) -> None:
    store_calls(sqlite_url, *(a_call() for _ in range(300)))
    (tmp_path / "calls.db-wal").unlink(missing_ok=True)
    damaged = bytearray((tmp_path / "calls.db").read_bytes())
    damaged[4096 * 20 :] = b"\xaa" * (len(damaged) - 4096 * 20)
    (tmp_path / "calls.db").write_bytes(damaged)
    with pytest.raises(StoreError, match="is damaged"):
        Retention(sqlite_url).snapshot(target)
    assert os.listdir(target.parent) == []


def test_there_is_no_copy_of_nothing(sqlite_url: str, tmp_path: Path, target: Path) -> None:
    with pytest.raises(StoreNotFound):
        Retention(sqlite_url).snapshot(target)
    (tmp_path / "calls.db").touch()
    with pytest.raises(StoreError, match=r"nothing was recorded in .* yet"):
        Retention(sqlite_url).snapshot(target)
